# Everything a person does with this project. `make help` lists it.

# What a person may set, with TUNE, UNBLINDED, VALIDATE, SCORE, MONITOR, OUTCOMES, WITH_SUBJECT and COVERAGE as switches.
VARIABLES := BASE BEAM BY COVERAGE CRON DATA ENDPOINT FLINK_JARS IMAGE IMAGE_BUILD IMAGE_OPTIONS IMAGE_PUSH \
	MASTER MODEL MONITOR NAMESPACE ONLY OTHER OUT OUTCOMES PACKAGE PARAMETERS PARAMS PORT PREDICTION_LOG PYTHON REASON REGISTRY ROOT RUN RUNNER \
	SCORE SEED SERVING SETTINGS STEPS STORE STUDY SUBJECTS TOKENS TUNE UNBLINDED UPDATE VALIDATE WAIT WITH_SUBJECT WORKERS
# Their values are text: make takes them unexpanded, and a recipe reads them from its environment
# ("$$STUDY"), so that nothing in them is run.
$(foreach name,$(VARIABLES),$(eval override $(name) := $$(value $(name))))
# Arguments "$$@" of a recipe: each word of a variable behind an option.
each_word = set -f --; for word in $$$(1); do set -- "$$@" $(2)"$$word"; done;

# Lock and interpreter of this machine; PYTHON=/path/to/python names another interpreter.
LOCK := $(shell sh requirements/platform.sh lock)
VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/.ready-$(LOCK)
# The console script `trial`, of this checkout.
TRIAL := $(BIN)/python -m pipeline.cli
LOCKS := $(addprefix requirements/$(LOCK)/,bootstrap.txt runtime.txt dev.txt)
FREE_KB := 6000000
CLUSTER_OPTIONS = $(if $(RUNNER),--runner "$$RUNNER") $(if $(WORKERS),--workers "$$WORKERS") \
	$(if $(MASTER),--master "$$MASTER") "$$@"

# Under names of their own: a make below this one would take a default for a person's choice.
export PACKAGE_FILE := $(or $(PACKAGE),packages/$(if $(VALIDATE),valid,trial)-$(subst _,-,$(or $(STUDY),synthetic))$(if $(SCORE),-score)$(if $(MONITOR),-monitor)$(if $(OUTCOMES),-outcomes).yaml)
export BUILD_COMMAND := $(or $(IMAGE_BUILD),docker build)
export PUSH_COMMAND := $(or $(IMAGE_PUSH),docker push)
export $(foreach name,$(VARIABLES),$(if $($(name)),$(name)))
IMAGE_NAME = "$${IMAGE:-clinical-trial-pipeline:$$(cat pipeline/VERSION)}"
SERVICE_IMAGE_NAME = "$${IMAGE:-clinical-trial-pipeline-service:$$(cat pipeline/VERSION)}"

# Bytecode is compiled once, at installation: without it TensorFlow and TFX take three times
# as long to import. The project's own is kept from process to process, of which a run has several.
unexport PYTHONDONTWRITEBYTECODE
# The cache of uv stays inside the environment.
export UV_CACHE_DIR = $(CURDIR)/$(VENV)/cache
export UV_LINK_MODE = hardlink

.PHONY: help setup run validate score monitor outcomes retrain serve flink-up flink-down test test-slow test-faults test-flink system compile submit image service-image push pin-images audit verdict report notebooks export store-migrate freeze models promote rollback boards grafana schemas docs lint format lock bench-accuracy bench-overhead \
	bench-alarms bench-coverage bench-fold-statistics bench-stability bench-uncertainty bench-contributions bench-example-gen bench-reading bench-scale bench-flink bench-store bench-startup bench-notebooks bench-malformed bench-serving bench-scoring bench-faults clean

help: ## This list.
	@grep -E '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 18

run: $(READY) ## Run the pipeline: [STUDY=ist DATA=folder ROOT=runs SUBJECTS=n SEED=n STEPS=n TUNE=1 UNBLINDED=1 RUNNER=flink].
	@$(call each_word,BEAM,--beam=) $(TRIAL) run $(if $(STUDY),--study "$$STUDY") $(if $(DATA),--data "$$DATA") \
	  $(if $(ROOT),--root "$$ROOT") $(if $(SUBJECTS),--subjects "$$SUBJECTS") $(if $(SEED),--seed "$$SEED") \
	  $(if $(STEPS),--steps "$$STEPS") $(if $(TUNE),--tune) $(if $(UNBLINDED),--unblinded) \
	  $(if $(STORE),--store "$$STORE") $(CLUSTER_OPTIONS)

validate: $(READY) ## Evaluate a registered model on another trial: [STUDY=file DATA=folder MODEL=study/id UPDATE=logistic ROOT=runs RUNNER=flink].
	@$(call each_word,BEAM,--beam=) $(TRIAL) validate $(if $(STUDY),--study "$$STUDY") $(if $(DATA),--data "$$DATA") \
	  $(if $(MODEL),--model "$$MODEL") $(if $(REGISTRY),--registry "$$REGISTRY") \
	  $(if $(UPDATE),--update "$$UPDATE") $(if $(ROOT),--root "$$ROOT") $(CLUSTER_OPTIONS)

score: $(READY) ## Predict new subjects with a registered model: STUDY=ist DATA=folder [MODEL=id OUT=file.csv WITH_SUBJECT=1 ROOT=runs RUNNER=flink].
	@$(call each_word,BEAM,--beam=) $(TRIAL) score "$$STUDY" "$$DATA" $(if $(MODEL),--model "$$MODEL") \
	  $(if $(REGISTRY),--registry "$$REGISTRY") $(if $(OUT),--out "$$OUT") \
	  $(if $(WITH_SUBJECT),--with-subject) $(if $(ROOT),--root "$$ROOT") $(CLUSTER_OPTIONS)

monitor: $(READY) ## Follow what the champion predicted: STUDY=ist PREDICTION_LOG=address [ROOT=runs REGISTRY=address STORE=address RUNNER=flink].
	@$(call each_word,BEAM,--beam=) $(TRIAL) monitor "$$STUDY" \
	  $(if $(PREDICTION_LOG),--prediction-log "$$PREDICTION_LOG") $(if $(REGISTRY),--registry "$$REGISTRY") $(if $(ROOT),--root "$$ROOT") \
	  $(if $(STORE),--store "$$STORE") $(CLUSTER_OPTIONS)

retrain: $(READY) ## Train a model again if its study file says so: STUDY=file [DATA=folder ROOT=runs REGISTRY=address ENDPOINT=url].
	@$(call each_word,BEAM,--beam=) $(TRIAL) retrain "$$STUDY" $(if $(DATA),"$$DATA") $(if $(ROOT),--root "$$ROOT") \
	  $(if $(REGISTRY),--registry "$$REGISTRY") \
	  $(if $(ENDPOINT),--endpoint "$$ENDPOINT" --package "$$PACKAGE_FILE") $(CLUSTER_OPTIONS)

outcomes: $(READY) ## Record the outcomes of predicted subjects from a later data cut: STUDY=ist DATA=folder PREDICTION_LOG=address [ROOT=runs REGISTRY=address RUNNER=flink].
	@$(call each_word,BEAM,--beam=) $(TRIAL) outcomes "$$STUDY" "$$DATA" $(if $(PREDICTION_LOG),--prediction-log "$$PREDICTION_LOG") $(if $(REGISTRY),--registry "$$REGISTRY") $(if $(ROOT),--root "$$ROOT") $(CLUSTER_OPTIONS)

serve: $(READY) ## Answer for single patients with the champion, over HTTP: [STUDY=ist ROOT=runs REGISTRY=address PORT=8080 TOKENS=file].
	@$(TRIAL) serve $(if $(STUDY),"$$STUDY") $(if $(ROOT),--root "$$ROOT") \
	  $(if $(REGISTRY),--registry "$$REGISTRY") $(if $(PORT),--port "$$PORT") $(if $(TOKENS),--tokens "$$TOKENS")

flink-up: $(READY) ## Start a Flink on this machine for `make run RUNNER=flink`: [WORKERS=n].
	@$(TRIAL) flink up $(if $(WORKERS),--task-managers "$$WORKERS") \
	  $(if $(FLINK_JARS),--jars "$$FLINK_JARS")

flink-down: $(READY) ## Stop it.
	@$(TRIAL) flink down

test: lint ## Lint, types and the tests: [COVERAGE=1].
	@$(BIN)/python -m pytest -m "not slow" -n 2 --dist loadfile -q $(if $(COVERAGE),--cov --cov-report=) tests
	@$(if $(COVERAGE),echo "branch coverage: $$($(BIN)/coverage report --format=total) %")

test-slow: $(READY) ## The tests that take minutes, in two processes (tests/slow_groups.py).
	@$(BIN)/python -m pytest -m slow -n 2 --dist loadgroup --no-loadscope-reorder -q tests

test-faults: $(READY) ## Of test-slow: the fault campaign, runs that die in every stage and for want of anything.
	@$(BIN)/python -m pytest -m slow -q tests/campaign

test-flink: $(READY) ## Of test-slow: the pipeline on a real Flink, and Flink's faults.
	@$(BIN)/python -m pytest -m slow -q tests/flink

system: ## As root on Debian: install the packages that the slow tests need.
	@packages=$$(grep -oE '^[a-z0-9][^ #]*' requirements/system.txt); \
	  dpkg-query -W $$packages >/dev/null 2>&1 || \
	  { apt-get update -q && DEBIAN_FRONTEND=noninteractive apt-get install -qy \
	    --no-install-recommends $$packages; }

compile: $(READY) ## Compile for Kubeflow and Vertex AI: [STUDY=ist SETTINGS=file OUT=folder TUNE=1 IMAGE=name:tag], a validation: VALIDATE=1 [MODEL=study/id UPDATE=logistic], a scoring: SCORE=1 [MODEL=id], a monitoring: MONITOR=1, or a recording of outcomes: OUTCOMES=1.
	@$(TRIAL) compile $(if $(STUDY),--study "$$STUDY") \
	  $(if $(SETTINGS),--settings "$$SETTINGS") $(if $(OUT),--out "$$OUT") $(if $(TUNE),--tune) \
	  $(if $(VALIDATE),--validate) $(if $(SCORE),--score) $(if $(MONITOR),--monitor) $(if $(OUTCOMES),--outcomes) \
	  $(if $(MODEL),--model "$$MODEL") $(if $(UPDATE),--update "$$UPDATE") $(if $(IMAGE),--image "$$IMAGE")

report: $(READY) ## Write a run's report, one HTML file: [RUN=id ROOT=runs].
	@$(TRIAL) report $(if $(RUN),"$$RUN") $(if $(ROOT),--root "$$ROOT")

notebooks: $(READY) ## Execute the notebooks on a run: [RUN=id ROOT=runs ONLY=fairness].
	@$(TRIAL) notebooks $(if $(RUN),"$$RUN") $(if $(ROOT),--root "$$ROOT") $(if $(ONLY),--only "$$ONLY")

submit: $(READY) ## Start a run on Kubeflow: ENDPOINT=url [STUDY=ist VALIDATE=1 SCORE=1 MONITOR=1 OUTCOMES=1 DATA=folder PARAMS="a=1 b=2" CRON="0 3 * * *" WAIT=minutes].
	@$(call each_word,PARAMS,--set ) $(TRIAL) submit --endpoint "$$ENDPOINT" --package "$$PACKAGE_FILE" \
	  $(if $(PARAMETERS),--parameters "$$PARAMETERS") $(if $(DATA),--set "data_root=$$DATA") \
	  $(if $(NAMESPACE),--namespace "$$NAMESPACE") \
	  $(if $(CRON),--cron "$$CRON") $(if $(WAIT),--wait "$$WAIT") "$$@"

export: $(READY) ## Export a run again: [RUN=id STORE=address ROOT=runs].
	@$(TRIAL) export $(if $(RUN),"$$RUN") $(if $(STORE),--store "$$STORE") \
	  $(if $(ROOT),--root "$$ROOT")

verdict: $(READY) ## The newest verdict in the store; fails where the model was refused: STUDY=name [RUN=id STORE=address ROOT=runs OUT=file].
	@$(TRIAL) verdict --fail-if-refused --study "$$STUDY" $(if $(RUN),--run "$$RUN") \
	  $(if $(STORE),--store "$$STORE") $(if $(ROOT),--root "$$ROOT") $(if $(OUT),--dotenv "$$OUT")

store-migrate: $(READY) ## Make the store's tables and roles, set their passwords: STORE=address.
	@$(TRIAL) store migrate $(if $(STORE),"$$STORE")

freeze: $(READY) ## Record that tasks, thresholds and evaluation are fixed from now on: [STUDY=ist ROOT=runs REGISTRY=address].
	@$(TRIAL) freeze $(if $(STUDY),--study "$$STUDY") $(if $(ROOT),--root "$$ROOT") \
	  $(if $(REGISTRY),--registry "$$REGISTRY")

models: $(READY) ## The registered models of a study and the audit trail: [STUDY=ist ROOT=runs REGISTRY=address].
	@$(TRIAL) models list $(if $(STUDY),--study "$$STUDY") $(if $(ROOT),--root "$$ROOT") \
	  $(if $(REGISTRY),--registry "$$REGISTRY")

promote: $(READY) ## Make a registered model the champion: MODEL=id REASON="why" [BY=name STUDY=ist ROOT=runs REGISTRY=address SERVING=address].
	@$(TRIAL) models promote "$$MODEL" --reason "$$REASON" $(if $(BY),--as "$$BY") \
	  $(if $(STUDY),--study "$$STUDY") $(if $(ROOT),--root "$$ROOT") $(if $(REGISTRY),--registry "$$REGISTRY") \
	  $(if $(SERVING),--serving "$$SERVING")

rollback: $(READY) ## Make the champion before this one the champion again: REASON="why" [BY=name STUDY=ist ROOT=runs REGISTRY=address SERVING=address].
	@$(TRIAL) models rollback --reason "$$REASON" $(if $(BY),--as "$$BY") \
	  $(if $(STUDY),--study "$$STUDY") $(if $(ROOT),--root "$$ROOT") $(if $(REGISTRY),--registry "$$REGISTRY") \
	  $(if $(SERVING),--serving "$$SERVING")

boards: $(READY) ## The store's boards as one HTML file: [STORE=address ROOT=runs OUT=file].
	@$(TRIAL) boards $(if $(STORE),--store "$$STORE") $(if $(ROOT),--root "$$ROOT") \
	  $(if $(OUT),--out "$$OUT")

grafana: $(READY) ## Regenerate Grafana's boards, alerts and provisioning from grafana/boards.
	@$(BIN)/python -m grafana.boards.generate

schemas: $(READY) ## Regenerate the JSON Schemas of study file and documents.
	@$(BIN)/python -m pipeline.schemas

docs: $(READY) ## Build the documentation site into site/.
	@NO_MKDOCS_2_WARNING=1 $(BIN)/mkdocs build --strict --quiet

image: ## Build the image of Kubeflow's tasks: [IMAGE=name:tag BASE=image IMAGE_BUILD="podman build"].
	@set -f; $$BUILD_COMMAND -f kubeflow/Dockerfile -t $(IMAGE_NAME) $(if $(BASE),--build-arg BASE="$$BASE") \
	  --build-arg VERSION=$$(cat pipeline/VERSION) \
	  --build-arg REVISION=$$(git rev-parse HEAD 2>/dev/null || echo unknown) \
	  $$IMAGE_OPTIONS .

service-image: ## Build the image of the prediction service: [IMAGE=name:tag BASE=image IMAGE_BUILD="podman build"].
	@set -f; $$BUILD_COMMAND -f kubeflow/Dockerfile --target service -t $(SERVICE_IMAGE_NAME) \
	  $(if $(BASE),--build-arg BASE="$$BASE") \
	  --build-arg VERSION=$$(cat pipeline/VERSION) \
	  --build-arg REVISION=$$(git rev-parse HEAD 2>/dev/null || echo unknown) \
	  $$IMAGE_OPTIONS .

push: ## Push the image to its registry: IMAGE=registry/name:tag [IMAGE_PUSH="podman push"].
	@set -f; $$PUSH_COMMAND $(IMAGE_NAME)

pin-images: $(READY) ## Write the digests of the images of others (requirements/images.yaml) into the manifests; needs a network.
	@$(BIN)/python -m requirements.pin_images

audit: $(READY) ## Known vulnerabilities of the locked packages of pipeline and service, by pip-audit; needs a network.
	@found=0; for lock in requirements/$(LOCK)/runtime.txt requirements/serve.txt; do \
	  $(BIN)/uv tool run --from pip-audit==2.10.0 pip-audit --disable-pip --require-hashes -r $$lock || found=1; \
	done; exit $$found

lint: $(READY) ## Style, types and the order of layers.
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/mypy
	@PYTHONPATH=. $(BIN)/lint-imports --no-logo

format: $(READY) ## Fix the style.
	@$(BIN)/ruff check --fix .
	@$(BIN)/ruff format .

bench-accuracy: $(READY) ## Accuracy beside scikit-learn on IST and ACTG175: [TRIAL_DATA_DIR=folder].
	@$(BIN)/python -m benchmarks.accuracy

bench-overhead: $(READY) ## Time and memory beside a plain TFX pipeline.
	@$(BIN)/python -m benchmarks.overhead

bench-example-gen: $(READY) ## Rows a second beside CsvExampleGen.
	@$(BIN)/python -m benchmarks.example_gen

bench-reading: $(READY) ## Seconds of the three times that a run reads its data.
	@$(BIN)/python -m benchmarks.reading

bench-scale: $(READY) ## Time and memory from 10,000 to 1,000,000 subjects.
	@$(BIN)/python -m benchmarks.scale

bench-flink: $(READY) ## Time and memory on Flink beside one machine's runners.
	@$(BIN)/python -m benchmarks.flink

bench-store: $(READY) ## Seconds of an export, milliseconds of every question of the boards.
	@$(BIN)/python -m benchmarks.store

bench-alarms: $(READY) ## False alarms of simulated years, and changes found within three months.
	@$(BIN)/python -m benchmarks.alarms

bench-coverage: $(READY) ## How often 95 % intervals hold the true value, by simulation.
	@$(BIN)/python -m benchmarks.coverage
	@$(BIN)/python -m benchmarks.coverage_events
	@$(BIN)/python -m benchmarks.coverage_model
	@$(BIN)/python -m benchmarks.coverage_censored

bench-fold-statistics: $(READY) ## Whether statistics without labels may come from all subjects: [TRIAL_DATA_DIR=folder].
	@$(BIN)/python -m benchmarks.fold_statistics

bench-stability: $(READY) ## Spread of predictions between training samples: repeats beside bootstrap samples.
	@$(BIN)/python -m benchmarks.stability

bench-uncertainty: $(READY) ## What weights, intervals, sets and contributions add to a run of IST and ACTG175: [TRIAL_DATA_DIR=folder].
	@$(BIN)/python -m benchmarks.uncertainty
	@$(BIN)/python -m benchmarks.weighted_neighbours

bench-contributions: $(READY) ## Milliseconds of one subject's contributions: MODEL=folder of a served model.
	@$(BIN)/python -m benchmarks.contributions $(if $(MODEL),"$$MODEL")

bench-startup: $(READY) ## Start-up beside another checkout: OTHER=folder.
	@$(BIN)/python -m benchmarks.startup "$$OTHER"

bench-notebooks: $(READY) ## Seconds of the fairness notebook on a run with 200 groups.
	@$(BIN)/python -m benchmarks.notebooks

bench-malformed: $(READY) ## 10,000 malformed requests to the service, by schemathesis: [STUDY=ist REGISTRY=address].
	@$(BIN)/python -m benchmarks.malformed $(if $(STUDY),"$$STUDY") $(if $(REGISTRY),--registry "$$REGISTRY")

bench-serving: $(READY) ## The service beside MLServer on the same model: [STUDY=ist REGISTRY=address].
	@$(BIN)/python -m benchmarks.serving $(if $(STUDY),"$$STUDY") $(if $(REGISTRY),--registry "$$REGISTRY")

bench-scoring: $(READY) ## Score 980,000 subjects, and beside TFX's BulkInferrer.
	@$(BIN)/python -m benchmarks.scoring

bench-faults: $(READY) ## 100,000 damaged files and 20 runs killed at random moments.
	@$(BIN)/python -m benchmarks.faults

lock: $(READY) ## Resolve the locks again: requirements/tfx116, requirements/tfx121, and those with an environment of their own.
	@for lock in tfx116 tfx121; do for name in runtime dev bootstrap; do \
	  $(BIN)/uv pip compile -q --config-file requirements/$$lock/uv.toml --python-version 3.11 \
	    $$(test $$lock = tfx116 || echo --universal) \
	    --generate-hashes --no-emit-find-links --no-emit-index-url --allow-unsafe \
	    --custom-compile-command "make lock" \
	    requirements/$$lock/$$name.in -o requirements/$$lock/$$name.txt || exit 1; \
	done; done
	@$(BIN)/uv pip compile -q --python-version 3.11 --python-platform x86_64-manylinux_2_28 \
	  --generate-hashes --no-emit-find-links --no-emit-index-url --custom-compile-command "make lock" \
	  requirements/serve.in -o requirements/serve.txt
	@for name in airflow delivery schemathesis mlserver mlflow; do $(BIN)/uv pip compile -q --universal --python-version 3.11 \
	  --generate-hashes --no-emit-find-links --no-emit-index-url --custom-compile-command "make lock" \
	  requirements/$$name.in -o requirements/$$name.txt || exit 1; done

setup: $(READY) ## Install everything into .venv.

$(READY): $(LOCKS) setup.py pyproject.toml
	@python=$$(sh requirements/platform.sh python "$$PYTHON") || exit 1; \
	"$$python" -c 'import ensurepip' 2>/dev/null || \
	  { echo "$$python lacks venv: install it (Debian: $$(basename "$$python")-venv)."; exit 1; }
	@command -v g++ >/dev/null || \
	  { echo "g++ is needed to build what comes as source: install it (Debian: g++)."; exit 1; }
	@test $$(df -Pk . | awk 'NR == 2 {print $$4}') -ge $(FREE_KB) || \
	  { echo "$(FREE_KB) kB of free disk space are needed in $(CURDIR)."; exit 1; }
	@echo "Installing into $(VENV), about 4 GB, a few minutes: $$(sh requirements/platform.sh reason "$$PYTHON")."
	@# An environment of another lock or of another interpreter is made again.
	@test -e $@ || test ! -e $(VENV) || "$$(sh requirements/platform.sh python "$$PYTHON")" -m venv --clear $(VENV)
	@test -x $(BIN)/python || "$$(sh requirements/platform.sh python "$$PYTHON")" -m venv $(VENV)
	@$(BIN)/python -m pip install -q --disable-pip-version-check --no-cache-dir --require-hashes --no-deps \
	  -r requirements/$(LOCK)/bootstrap.txt
	@$(BIN)/uv pip sync -q --require-hashes --no-build-isolation --python $(BIN)/python \
	  requirements/$(LOCK)/dev.txt
	@$(BIN)/uv pip install -q --no-deps --no-build-isolation --python $(BIN)/python -e .
	@# A few packages carry templates that are no valid Python: compileall complains of them.
	@PYTHONWARNINGS=ignore $(BIN)/python -m compileall -q -j 0 $(VENV)/lib/python3*/site-packages >/dev/null || true
	@rm -rf $(UV_CACHE_DIR)
	@touch $@

clean: ## Remove the environment; runs stay.
	@rm -rf $(VENV)
