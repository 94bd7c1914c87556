"""Targets of the Makefile with a value for each variable that a person may set for them."""

from __future__ import annotations

TARGETS = {
    "run": {
        **{"STUDY": "ist", "DATA": "my data", "ROOT": "my runs", "SUBJECTS": "200", "SEED": "7"},
        **{"STEPS": "30", "TUNE": "1", "UNBLINDED": "1", "STORE": "sqlite:///my store"},
        **{"RUNNER": "flink", "WORKERS": "4", "MASTER": "flink:8081", "BEAM": "--x=1 --y=2"},
    },
    "validate": {
        **{"STUDY": "my study.yaml", "DATA": "my data", "MODEL": "ist", "UPDATE": "logistic"},
        **{"ROOT": "my runs", "REGISTRY": "s3://b/my registry", "RUNNER": "flink"},
        **{"WORKERS": "4", "MASTER": "flink:8081", "BEAM": "--x=1 --y=2"},
    },
    "score": {
        **{"STUDY": "my study.yaml", "DATA": "my data", "MODEL": "ist/1", "OUT": "my file.csv"},
        **{"WITH_SUBJECT": "1", "ROOT": "my runs", "REGISTRY": "s3://b/my registry"},
        **{"RUNNER": "flink", "WORKERS": "4", "MASTER": "flink:8081", "BEAM": "--x=1 --y=2"},
    },
    "monitor": {
        **{"STUDY": "my study.yaml", "PREDICTION_LOG": "my log", "ROOT": "my runs"},
        **{"REGISTRY": "s3://b/my registry", "STORE": "sqlite:///my store", "RUNNER": "flink"},
        **{"WORKERS": "4", "MASTER": "flink:8081", "BEAM": "--x=1 --y=2"},
    },
    "retrain": {
        **{"STUDY": "my study.yaml", "DATA": "my data", "ROOT": "my runs"},
        **{"REGISTRY": "s3://b/my registry", "ENDPOINT": "http://h", "RUNNER": "flink"},
        **{"WORKERS": "4", "MASTER": "flink:8081", "BEAM": "--x=1 --y=2"},
    },
    "outcomes": {
        **{"STUDY": "my study.yaml", "DATA": "my data", "PREDICTION_LOG": "my log"},
        **{"ROOT": "my runs", "RUNNER": "flink", "WORKERS": "4", "MASTER": "flink:8081"},
        **{"REGISTRY": "s3://b/my registry", "BEAM": "--x=1 --y=2"},
    },
    "serve": {
        **{"STUDY": "my study.yaml", "ROOT": "my runs", "REGISTRY": "s3://b/my registry"},
        **{"PORT": "8081", "TOKENS": "my tokens"},
    },
    "flink-up": {"WORKERS": "3", "FLINK_JARS": "my jars"},
    "flink-down": {},
    "compile": {
        **{"STUDY": "ist", "SETTINGS": "my settings.yaml", "OUT": "my packages", "TUNE": "1"},
        **{"VALIDATE": "1", "SCORE": "1", "MONITOR": "1", "OUTCOMES": "1", "MODEL": "ist"},
        **{"UPDATE": "logistic", "IMAGE": "host/trial:7"},
    },
    "report": {"RUN": "my runs/r1", "ROOT": "my runs"},
    "notebooks": {"RUN": "my runs/r1", "ROOT": "my runs", "ONLY": "fairness"},
    "submit": {
        **{
            "ENDPOINT": "http://h",
            "STUDY": "ist",
            "DATA": "s3://b",
            "PARAMETERS": "my values.yaml",
        },
        **{"PARAMS": "a=1 b=2", "NAMESPACE": "n", "CRON": "0 3 * * *", "WAIT": "5"},
    },
    "export": {"RUN": "my runs/r1", "STORE": "sqlite:///my store", "ROOT": "my runs"},
    "verdict": {"STUDY": "my s", "RUN": "r1", "STORE": "sqlite:///s", "ROOT": "my r", "OUT": "o o"},
    "store-migrate": {"STORE": "sqlite:///my store"},
    "freeze": {"STUDY": "ist", "ROOT": "my runs", "REGISTRY": "s3://b/my registry"},
    "models": {"STUDY": "ist", "ROOT": "my runs", "REGISTRY": "s3://b/my registry"},
    "promote": {
        **{"MODEL": "0123456789abcdef", "REASON": "my reason", "BY": "My Name", "STUDY": "ist"},
        **{"ROOT": "my runs", "REGISTRY": "s3://b/my registry", "SERVING": "s3://b/my models"},
    },
    "rollback": {
        **{"REASON": "my reason", "BY": "My Name", "STUDY": "ist", "ROOT": "my runs"},
        **{"REGISTRY": "s3://b/my registry", "SERVING": "s3://b/my models"},
    },
    "boards": {"STORE": "sqlite:///my store", "ROOT": "my runs", "OUT": "my boards.html"},
}

SWITCHES = ("MONITOR", "OUTCOMES", "SCORE", "TUNE", "UNBLINDED", "VALIDATE", "WITH_SUBJECT")
