# The image of every Airflow component (target `airflow`) and of the sandbox world (target `sandbox`).
# The lock files pin every package by hash, including Airflow.
FROM python:3.11-slim-bookworm AS airflow
COPY requirements.lock requirements-distributed.lock /tmp/locks/
RUN python -m venv /opt/venv
RUN /opt/venv/bin/python -m pip install --quiet --no-cache-dir --disable-pip-version-check uv==0.13.9
RUN /opt/venv/bin/uv pip install --quiet --no-cache --python /opt/venv/bin/python --require-hashes -r /tmp/locks/requirements.lock -r /tmp/locks/requirements-distributed.lock
COPY dags /opt/nba/dags
COPY plugins /opt/nba/plugins
COPY config /opt/nba/config
COPY include/sql /opt/nba/include/sql
COPY bin /opt/nba/bin
ENV PATH=/opt/venv/bin:$PATH \
    PYTHONPATH=/opt/nba/plugins \
    PYTHONUNBUFFERED=1 \
    ORCHESTRATION_PYTHON=/opt/venv/bin/python \
    ORCHESTRATION_OUTBOX=file:///opt/airflow/outbox \
    AIRFLOW_HOME=/opt/airflow \
    AIRFLOW__CORE__DAGS_FOLDER=/opt/nba/dags \
    AIRFLOW__CORE__PLUGINS_FOLDER=/opt/nba/plugins \
    AIRFLOW__CORE__LOAD_EXAMPLES=False
# Docker gives the volumes the owner of these folders.
RUN useradd --uid 50000 --gid 0 --no-create-home airflow && mkdir -p /opt/airflow/logs /opt/airflow/outbox && chown -R airflow:0 /opt/airflow
USER airflow
WORKDIR /opt/nba
# A broken workflows.yaml fails the build, so it never reaches production.
RUN python -m orchestration validate
CMD ["airflow", "version"]

FROM airflow AS sandbox
USER root
COPY requirements-sandbox.lock /tmp/locks/
RUN /opt/venv/bin/uv pip install --quiet --no-cache --python /opt/venv/bin/python --require-hashes -r /tmp/locks/requirements-sandbox.lock
COPY include/sandbox /opt/nba/include/sandbox
ENV PYTHONPATH=/opt/nba/plugins:/opt/nba/include HOME=/opt/airflow
RUN mkdir /opt/airflow/world && chown airflow:0 /opt/airflow/world
USER airflow
RUN python -c 'import duckdb_extensions; duckdb_extensions.import_extension("spatial")'
