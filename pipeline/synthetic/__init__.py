"""A seeded synthetic trial with known truth, written by Beam as SAS transport files.

The trial compares `Active` with `Placebo`, randomised 1:1 in permuted blocks of four within
site. Every safety subject is observed from study day 1 to study day 180 unless lost to follow-up.
The datasets are ADaM-like: `adsl` (a row per subject), `adae`, `adlb`, `advs` and `adtte`. The
folder `truth/` beside them holds the probabilities that generated the outcomes; the datasets do not
contain them.

Three outcomes depend on the subject's state at the landmark, study day 28, and on nothing else
that can be known (no site or country effect, no hidden covariate): each is a Bernoulli draw whose
log-odds are the sum over `COEFFICIENTS[task]` (`trial.py`) of coefficient times term, where

| term | value |
|---|---|
| `intercept` | 1 |
| `active` | 1 in the active arm, otherwise 0 |
| `male`, `smoker`, `diabetes` | 1 or 0, known to the model even where the dataset lost it |
| `age` | (AGE - 60 years) / 10 |
| `severity` | (SEVBL - 50) / 10 |
| `score_change` | (symptom score at week 4 - SEVBL) / 10 |
| `log_crp` | ln(CRP at week 4 / 5 mg/L) |
| `log_alt` | ln(ALT at week 4 / 25 U/L) |
| `creatinine` | (CREAT at week 4 - 80 umol/L) / 15 |
| `early_events` | treatment-emergent adverse events that began on days 1 to 28 |
| `active_log_crp`, `active_diabetes`, `active_log_alt` | interactions with the arm |
| `age_squared`, `severity_squared` | squares of `age` and `severity` |
| `over_70` | max(0, AGE - 70 years) / 10 |

The tasks:

* `worsening`: the first event WORSEN of `adtte` falls on days 29 to 180;
* `response`: the symptom score of week 12 is at most half of SEVBL;
* `hepatic_ae`: an event of "Hepatobiliary disorders" begins on days 29 to 180.

About 25 %, 40 % and 8 % of the subjects whose outcome is known are positive. The probabilities
themselves reach an AUC of about .77, .755 and .75, which a model can exceed only by chance.

The event's day is drawn after the event, the score of week 12 after the response. Dropout depends
only on the state at day 28, and an event of a subject who drops out after day 28 would occur after
the dropout: it is never recorded. Whether an outcome is known is therefore independent of the
outcome given the landmark state, and the probabilities are calibrated among the subjects whose
outcome is known. A first WORSEN event up to day 28 is a draw of its own; such subjects are not at
risk of `worsening` after the landmark.

Some rows are deliberate leakage traps: a week 4 visit may fall after day 28, ALT of week 12 is
raised after a hepatic event, some adverse events began before treatment, and a few randomised
subjects were never treated (SAFFL is N: no dates of treatment, no events, no truth).

Over calendar time nothing changes but what `SyntheticTrial.changes` names
(`pipeline.synthetic.changes`): another population, assay, site, feed of the laboratory, or other
coefficients for those who are randomised from a month on. `enrolled_from` and `enrolled_until`
leave out who was randomised before or after; the others stay the same.

Draws come from Philox generators keyed by (seed, block of 1,000 subjects), so the records do not
depend on shards, runners or workers. The transport format is that of SAS Technical Note TS-140
(version 5), with fixed dates in the headers.
"""
