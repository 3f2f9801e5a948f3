# syntax=docker/dockerfile:1
# An image that serves: docs/deployment.md. It has neither scikit-learn nor a shell script.
#   docker build -t textclf .
#   docker build -t textclf:slim --build-arg SERVE=serve-slim .     without Numba, buckets, signatures
ARG PYTHON=3.13-slim

FROM python:${PYTHON} AS build
ARG SERVE=serve
# for any processor of this kind, not only that of the machine that builds
ENV NUMBA_CPU_NAME=generic
WORKDIR /src
RUN python -m venv /opt/textclf
ENV PATH=/opt/textclf/bin:$PATH
COPY requirements-${SERVE}.lock ./
RUN python -m pip install --no-cache-dir --require-hashes -r requirements-${SERVE}.lock
COPY pyproject.toml README.md LICENSE ./
COPY textclf textclf
RUN python -m pip install --no-cache-dir --no-deps --no-build-isolation .
COPY deploy/compile.py deploy/compile.py
COPY tests/vectors tests/vectors
# -P: from the installed package, and not from /src
RUN python -P deploy/compile.py tests/vectors && python -m pip uninstall --yes flit_core pip

FROM python:${PYTHON}
ENV NUMBA_CPU_NAME=generic \
    PATH=/opt/textclf/bin:$PATH PYTHONDONTWRITEBYTECODE=1 \
    TEXTCLF_MODELS=/models TEXTCLF_HOST=0.0.0.0 XDG_CACHE_HOME=/cache
COPY --from=build /opt/textclf /opt/textclf
# no such user is needed in /etc/passwd; a volume at /cache is only needed for a registry by URL
USER 10001:10001
EXPOSE 8000
ENTRYPOINT ["textclf"]
CMD ["serve"]
