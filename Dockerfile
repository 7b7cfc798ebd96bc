# Two stages: everything that building needs, and a small image with the binary and the libraries it runs with. The
# headers that modules include are inside the binary, so the second stage has no -dev package.

FROM debian:12 AS build
WORKDIR /cweb
# The packages first: they change least.
COPY cmake/install-dependencies cmake/install-dependencies
RUN cmake/install-dependencies build && rm -rf /var/lib/apt/lists/*
COPY . .
RUN cmake --preset release -DCWEB_TESTS=OFF \
 && cmake --build --preset release --target cweb \
 && strip build/release/cweb

FROM debian:12-slim
# curl is how modules are deployed from outside, through `docker exec`, and what asks for the server's health.
RUN apt-get update \
 && apt-get install --yes --no-install-recommends \
      libclang-cpp19 libllvm19 libstdc++6 libgcc-s1 libjemalloc2 libjansson4 libsqlite3-0 libssl3 libre2-9 libfmt9 \
      libspdlog1.10 libseccomp2 zlib1g curl \
 && rm -rf /var/lib/apt/lists/* \
 && useradd --system --no-create-home --shell /usr/sbin/nologin cweb
COPY --from=build /cweb/build/release/cweb /usr/local/bin/cweb
USER cweb
# On 127.0.0.1 of the container nobody outside would reach it. Requests from outside do not come from the server's own
# machine, so /mgnt refuses them unless they bring the key that CWEB_ADMIN_KEY sets.
ENV CWEB_HOST=0.0.0.0
EXPOSE 8080
HEALTHCHECK --interval=10s --timeout=3s --start-period=10s \
  CMD curl --fail --silent --output /dev/null http://localhost:8080/mgnt/health
# SIGTERM, which `docker stop` sends, finishes running requests within ten seconds and unloads for five.
ENTRYPOINT ["cweb"]
CMD ["serve"]
