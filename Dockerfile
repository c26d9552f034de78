# One image, five services: docs/decisions/0017-one-image.md. `make image` builds it.
ARG PYTHON=docker.io/library/python:3.11-slim-bookworm

FROM ${PYTHON} AS pages
# Where packages come through an authority of one's own: its certificates, in the base image.
ARG NODE_EXTRA_CA_CERTS
COPY services/portal-gateway/pages /pages/pages
COPY services/portal-gateway/src/portal/static/icon.svg /pages/src/portal/static/icon.svg
RUN --mount=type=cache,target=/root/.cache/pip --mount=type=cache,target=/root/.npm \
    CI=1 python /pages/pages/build.py

FROM ${PYTHON} AS packages
RUN python -m venv --without-pip /opt/orderloom
COPY deploy/image/requirements.txt /build/requirements.txt
RUN --mount=type=cache,target=/root/.cache/pip \
    python -m pip --python /opt/orderloom/bin/python install --require-hashes --only-binary :all: --no-compile \
        --requirement /build/requirements.txt
COPY deploy/image/orderloom.pth /opt/orderloom/lib/python3.11/site-packages/orderloom.pth
# Of the formats of 1,000 locales, those of the languages that pages are in.
RUN find /opt/orderloom/lib/python3.11/site-packages/babel/locale-data -name '*.dat' \
        ! -name 'root.dat' ! -name 'en*.dat' ! -name 'zh*.dat' -delete \
    && /opt/orderloom/bin/python -m compileall -q --invalidation-mode unchecked-hash /opt/orderloom/lib

FROM packages AS bill-of-materials
COPY deploy/image/tools.txt pyproject.toml /build/
RUN --mount=type=cache,target=/root/.cache/pip \
    python -m venv /tools && /tools/bin/python -m pip install --require-hashes --requirement /build/tools.txt
RUN /tools/bin/cyclonedx-py environment /opt/orderloom/bin/python --pyproject /build/pyproject.toml \
        --output-reproducible --output-format JSON --output-file /build/sbom.cdx.json

FROM packages AS sources
COPY contracts /opt/orderloom/src/contracts
COPY chassis /opt/orderloom/src/chassis
COPY services /opt/orderloom/src/services
COPY deploy/local /opt/orderloom/src/deploy/local
COPY --from=pages /pages/src/portal/static/build /opt/orderloom/src/services/portal-gateway/src/portal/static/build
RUN rm -r /opt/orderloom/src/services/portal-gateway/pages \
    && /opt/orderloom/bin/python -m compileall -q --invalidation-mode unchecked-hash /opt/orderloom/src \
    && cd / && /opt/orderloom/bin/python -c 'import order.app, project.app, finance.app, notify.app, portal.app, orderloom.cli'

FROM ${PYTHON}
RUN useradd --uid 10001 --user-group --no-create-home --home-dir /tmp --shell /usr/sbin/nologin orderloom
COPY --from=packages /opt/orderloom /opt/orderloom
COPY --from=sources /opt/orderloom/src /opt/orderloom/src
COPY --from=bill-of-materials /build/sbom.cdx.json /usr/share/orderloom/sbom.cdx.json
COPY LICENSE /usr/share/orderloom/LICENSE
ENV ORDERLOOM_HOST=0.0.0.0 \
    ORDERLOOM_PORT=8000 \
    HOME=/tmp \
    PYTHONDONTWRITEBYTECODE=1 \
    PYTHONUNBUFFERED=1
USER 10001:10001
WORKDIR /tmp
EXPOSE 8000
HEALTHCHECK --interval=10s --timeout=5s --start-period=60s --retries=3 \
    CMD ["/opt/orderloom/bin/python", "-m", "chassis.probe"]
ENTRYPOINT ["/opt/orderloom/bin/python", "-m"]
CMD ["orderloom.cli", "--help"]
# Last, so that another revision of the same sources costs no layer.
ARG VERSION=unknown
ARG REVISION=unknown
ARG SOURCE=unknown
LABEL org.opencontainers.image.title="Orderloom" \
      org.opencontainers.image.description="Order-based project management: five services, their migrations and tools" \
      org.opencontainers.image.version="${VERSION}" \
      org.opencontainers.image.revision="${REVISION}" \
      org.opencontainers.image.source="${SOURCE}" \
      org.opencontainers.image.licenses="Apache-2.0"
