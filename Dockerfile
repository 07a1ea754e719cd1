# The server as an image: locked packages, no build tools, no root.
#   docker build -t revgraph . && docker run -p 3000:3000 -e JWT_SECRET=... -v revgraph:/var/lib/revgraph revgraph
# `docker run ... revgraph migrate` comes first; every command of `revgraph` works in its place.

FROM python:3.11-slim AS build
ENV PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_NO_CACHE_DIR=1 PIP_ROOT_USER_ACTION=ignore
WORKDIR /src
RUN python -m venv --without-pip /opt/revgraph && mkdir -p /var/lib/revgraph
COPY requirements/runtime.lock requirements/runtime.lock
RUN python -m pip --python /opt/revgraph/bin/python install --no-deps --require-hashes -r requirements/runtime.lock
COPY pyproject.toml README.md LICENSE ./
COPY app app
COPY sandbox sandbox
RUN python -m pip --python /opt/revgraph/bin/python install --no-deps --no-build-isolation . \
    && python -m pip --python /opt/revgraph/bin/python uninstall --yes setuptools

FROM python:3.11-slim
COPY --from=build /opt/revgraph /opt/revgraph
COPY --from=build --chown=10001:10001 /var/lib/revgraph /var/lib/revgraph
ENV PATH=/opt/revgraph/bin:$PATH HOME=/var/lib/revgraph PYTHONUNBUFFERED=1 \
    ENVIRONMENT=production API_HOST=0.0.0.0 API_PORT=3000 VAR_DIR=/var/lib/revgraph
WORKDIR /var/lib/revgraph
USER 10001:10001
EXPOSE 3000
HEALTHCHECK --interval=10s --timeout=5s --start-period=20s --retries=3 \
    CMD ["python", "-c", "import os, urllib.request; urllib.request.urlopen(f\"http://127.0.0.1:{os.environ['API_PORT']}/health\", timeout=4)"]
ENTRYPOINT ["revgraph"]
CMD ["serve"]
