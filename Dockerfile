FROM python:3.11-slim AS packages
COPY requirements.lock .
RUN python -m venv /opt/rapport \
    && /opt/rapport/bin/pip install --no-cache-dir --disable-pip-version-check --require-hashes -r requirements.lock

FROM python:3.11-slim
RUN useradd --system --uid 10001 --no-create-home rapport && install -d -o rapport /data
COPY --from=packages /opt/rapport /opt/rapport
WORKDIR /app
COPY LICENSE ./
COPY storage storage
COPY bot bot
ENV PATH=/opt/rapport/bin:$PATH PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1 RAPPORT_DATA_DIR=/data
USER rapport
VOLUME /data
EXPOSE 3000
CMD ["python", "-m", "bot", "serve"]
