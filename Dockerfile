# The image: a binary, which has Clang and LLVM inside, and the libraries that it runs with. Stages:
#
#   tools     everything that building needs
#   build     the binary
#   test      the test suite, on request: docker build --target test .
#   runtime   what is shipped. The headers that modules include are inside the binary, so there is no -dev package
#
# docker build -t cweb .                                     for development
# docker build -t cweb:production --build-arg CWEB_PRODUCTION=ON .    what production.sh --docker does

FROM debian:12 AS tools
WORKDIR /cweb
COPY cmake/install-dependencies cmake/install-dependencies
RUN cmake/install-dependencies build && rm -rf /var/lib/apt/lists/*

FROM tools AS build
COPY CMakeLists.txt CMakePresets.json ./
COPY cmake cmake
COPY third_party third_party
COPY packaging packaging
COPY include include
COPY src src
COPY runtime runtime
COPY jit jit
ARG CWEB_PRODUCTION=OFF
RUN cmake --preset release -DCWEB_TESTS=OFF -DCWEB_PRODUCTION=$CWEB_PRODUCTION \
 && cmake --build --preset release --target cweb_self_contained \
 && install -D --strip build/release/self_contained/cweb /out/usr/local/bin/cweb \
 && install -D packaging/entrypoint /out/usr/local/bin/cweb-entrypoint

# It builds for tests as well, which the stage before does not.
FROM build AS test
COPY . .
RUN apt-get update && apt-get install --yes --no-install-recommends make \
 && cmake --preset release -DCWEB_TESTS=ON -DCWEB_PRODUCTION=OFF && env -u CWEB_PRODUCTION make check

# libcurl4 is for the client commands, which load it when they run (src/cli/curl_library.h): no ldd names it.
FROM debian:12-slim AS runtime
RUN apt-get update \
 && apt-get install --yes --no-install-recommends \
      libstdc++6 libgcc-s1 libjemalloc2 libjansson4 libsqlite3-0 libssl3 libre2-9 libfmt9 libspdlog1.10 libseccomp2 \
      libzstd1 zlib1g libcurl4 \
 && rm -rf /var/lib/apt/lists/* /var/cache/* /var/log/* /usr/share/doc /usr/share/man /usr/share/locale \
 && useradd --system --no-create-home --home-dir /app --shell /usr/sbin/nologin cweb \
 && install --directory --owner=cweb --group=cweb /app /app/modules
COPY --from=build /out/usr/local/bin/ /usr/local/bin/
WORKDIR /app
# On 127.0.0.1 of the container nobody outside would reach it, so it listens on all addresses. Who comes from outside
# needs a key: CWEB_ADMIN_KEY, or one that is made at the start and printed to the log. CWEB_TRUST_GATEWAY=1 does without,
# for a port that is published on 127.0.0.1 alone (docker-compose.yml).
ENV CWEB_HOST=* \
    CWEB_MODULES=/app/modules \
    CWEB_MAKE_KEY=1
# A volume, so that it can be written when the rest of the file system cannot.
VOLUME /app/modules
EXPOSE 8080
HEALTHCHECK --interval=10s --timeout=8s --start-period=10s CMD ["cweb", "health"]
# It begins as root to become whoever owns /app/modules, and never runs the server as root.
ENTRYPOINT ["cweb-entrypoint"]
CMD ["cweb", "serve"]
# SIGTERM, which `docker stop` sends, finishes what is running; without requests that hang it takes milliseconds.
STOPSIGNAL SIGTERM
