# One image for the webserver, the daemon and the code location: see docs/production.md.
FROM python:3.11-slim

WORKDIR /opt/series_assets
COPY pyproject.toml setup.py README.md LICENSE MANIFEST.in requirements-dev.lock ./
COPY series_assets series_assets
RUN pip install --no-cache-dir ".[postgres]" -c requirements-dev.lock

ENV DAGSTER_HOME=/opt/dagster/home
COPY examples/production/dagster.yaml examples/production/workspace.yaml /opt/dagster/home/
RUN useradd --create-home dagster \
    && mkdir -p /opt/dagster/home/storage /data \
    && chown -R dagster /opt/dagster /data
USER dagster
WORKDIR /opt/dagster/home
