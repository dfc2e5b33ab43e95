# One image for the API, its jobs and MLflow. The tests check this file; they build no image.
FROM python:3.11-slim-bookworm AS build
WORKDIR /src
COPY pyproject.toml constraints.txt README.md LICENSE ./
COPY features features
COPY models models
COPY training training
COPY serving serving
COPY demo demo
RUN python -m venv /venv \
    && /venv/bin/pip install --no-cache-dir -c constraints.txt --build-constraint constraints.txt --upgrade pip setuptools \
    && /venv/bin/pip install --no-cache-dir -c constraints.txt --build-constraint constraints.txt '.[postgres,redis]'

FROM python:3.11-slim-bookworm
# LightGBM needs the OpenMP library.
RUN apt-get update \
    && apt-get install -y --no-install-recommends libgomp1 \
    && rm -rf /var/lib/apt/lists/* \
    && useradd --uid 10001 --user-group --home-dir /srv/nextbest --create-home nextbest \
    && install -d -o nextbest -g nextbest /srv/artifacts
COPY --from=build /venv /venv
ENV PATH=/venv/bin:$PATH PYTHONUNBUFFERED=1 NEXTBEST_HOME=/srv/nextbest
USER 10001
WORKDIR /srv/nextbest
VOLUME /srv/nextbest
EXPOSE 8000
# 503 while it is not ready is a failure to urllib.
HEALTHCHECK --interval=10s --timeout=5s --start-period=60s \
    CMD ["python", "-c", "import urllib.request; urllib.request.urlopen('http://127.0.0.1:8000/health/ready', timeout=4)"]
STOPSIGNAL SIGTERM
CMD ["python", "-m", "serving", "--host", "0.0.0.0"]
