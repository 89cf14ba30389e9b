# One image for every process; docker-compose.yml says which process a container is.
FROM python:3.12-slim AS packages
COPY requirements/run.txt /run.txt
# Wheels only: what an sdist needs to be built is not covered by the hashes.
RUN python -m venv /venv \
    && /venv/bin/pip install --no-cache-dir --only-binary :all: --require-hashes -r /run.txt

FROM python:3.12-slim
RUN useradd --system --uid 10001 --no-create-home --shell /usr/sbin/nologin countersign
COPY --from=packages /venv /venv
WORKDIR /app
COPY manage.py ./
COPY config ./config
COPY audit ./audit
COPY accounts ./accounts
COPY transactions ./transactions
COPY integrations ./integrations
COPY templates ./templates
COPY deploy ./deploy
# Its code belongs to root: a process can read it and not change it.
ENV PATH=/venv/bin:$PATH PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1
USER 10001
