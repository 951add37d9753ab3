# Patchbell on Discord. Build: docker build -t patchbell .   Run: see the README.
FROM python:3.11-slim-bookworm

ENV PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1

# A user without rights, and a place for the database that outlives the container.
RUN useradd --system --create-home --home-dir /data patchbell

WORKDIR /app
COPY requirements/bot.txt requirements/bot.txt
RUN python -m pip install --no-cache-dir --require-hashes -r requirements/bot.txt

COPY bot/ bot/
COPY cogs/ cogs/
COPY presets/ presets/
RUN python -m compileall -q bot cogs

USER patchbell
VOLUME /data
ENV PATCHBELL_DATABASE__URL=sqlite+aiosqlite:////data/patchbell.db PATCHBELL_WEB__HOST=0.0.0.0
EXPOSE 8080
HEALTHCHECK --interval=60s --timeout=10s --start-period=60s \
    CMD ["python", "-c", "import urllib.request; urllib.request.urlopen('http://127.0.0.1:8080/healthz', timeout=5)"]
STOPSIGNAL SIGTERM
CMD ["python", "-m", "bot", "run"]
