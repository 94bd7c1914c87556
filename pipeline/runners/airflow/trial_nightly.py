"""A study's nightly run as a DAG of Apache Airflow 3: `trial` commands, one after the other.

Link or copy this file into Airflow's folder of DAGs. Airflow has an environment of its own
(`requirements/airflow.txt`) and imports nothing of the pipeline: it calls the program that the
environment variable TRIAL_COMMAND names. What is run is said by the variables that the command
itself reads: TRIAL_STUDY, TRIAL_DATA, TRIAL_ROOT, TRIAL_STORE, TRIAL_SUBJECT_KEY and the others of
`trial run --help`. See docs/install.md.
"""

from __future__ import annotations

import os
from datetime import timedelta

from airflow.providers.standard.operators.bash import BashOperator
from airflow.sdk import DAG

TRIAL = os.environ.get("TRIAL_COMMAND", "trial")

with DAG(
    "trial_nightly",
    description="Trains, evaluates and registers a model of a study's data of today",
    schedule=os.environ.get("TRIAL_SCHEDULE", "0 3 * * *"),
    # A study has one run at a time in a root, and the data of earlier nights are gone.
    max_active_runs=1,
    catchup=False,
    # A stage that refuses the data would refuse them again; what is finished comes from the cache.
    default_args={"retries": 0, "execution_timeout": timedelta(hours=12)},
):
    run = BashOperator(task_id="run", bash_command=f"{TRIAL} run")
    report = BashOperator(task_id="report", bash_command=f"{TRIAL} report")
    boards = BashOperator(task_id="boards", bash_command=f"{TRIAL} boards")
    run >> [report, boards]
