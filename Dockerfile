# Two images: `docker build --target mock -t arklow-mock .` and `docker build --target judge -t arklow-contracts .`
# A test runs the same commands in a plain virtual environment, as test machines need not have Docker.
FROM python:3.13-slim AS mock
ENV PIP_NO_CACHE_DIR=1
WORKDIR /arklow
COPY . .
RUN pip install --require-hashes -r requirements.lock
RUN pip wheel -q --no-deps --no-build-isolation -w dist .
RUN pip install --no-deps dist/*.whl
WORKDIR /home
USER nobody
EXPOSE 3123 3124 3125
STOPSIGNAL SIGINT
ENTRYPOINT ["arklow-mock"]
CMD ["--host", "0.0.0.0", "--admin-host", "0.0.0.0"]

FROM python:3.13-slim AS judge
ENV PIP_NO_CACHE_DIR=1
WORKDIR /arklow
COPY . .
RUN pip install --require-hashes -r requirements-judge.lock
RUN pip wheel -q --no-deps --no-build-isolation -w dist .
RUN pip install --no-deps dist/*.whl
WORKDIR /reports
RUN chown nobody /reports
USER nobody
ENTRYPOINT ["arklow-contracts"]
CMD ["--help"]
