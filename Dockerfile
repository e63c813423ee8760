# SPDX-License-Identifier: MIT
# One static executable in an empty root, run by an unprivileged user.

ARG BASE=docker.io/library/debian:trixie-slim
FROM ${BASE} AS builder
RUN apt-get update \
 && apt-get install -y --no-install-recommends cmake gcc libboost-context-dev libc6-dev libevent-dev libllhttp-dev liburing-dev ninja-build systemtap-sdt-dev \
 && rm -rf /var/lib/apt/lists/*
WORKDIR /src
COPY . .
RUN cmake --preset static && cmake --build build/static --target echod
# The licences of what is linked in go with the executable. That of Boost.Context asks for no notice in executables.
RUN mkdir -p /licenses && cp LICENSE /licenses/echod \
 && for package in libc6-dev libevent-dev libllhttp-dev liburing-dev; do cp /usr/share/doc/$package/copyright /licenses/$package; done

# For gdb (docs/debugging.md): docker build --target debug --output build/debug .
FROM scratch AS debug
COPY --from=builder /src/build/static/echod /src/build/static/echod.debug /

FROM scratch
ARG VERSION=0.1.0
ARG REVISION=unknown
LABEL org.opencontainers.image.title="echod" \
      org.opencontainers.image.description="An HTTP/1.1 echo server that serves the same bytes under several concurrency models" \
      org.opencontainers.image.licenses="MIT" \
      org.opencontainers.image.version="${VERSION}" \
      org.opencontainers.image.revision="${REVISION}"
COPY --from=builder /licenses /licenses
COPY --from=builder /src/build/static/echod /echod
USER 65532:65532
# It listens on all addresses, on this port; ECHOD_LISTEN beats it. Every flag has a variable: --env ECHOD_MODE=thread.
ENV PORT=8080
EXPOSE 8080
STOPSIGNAL SIGTERM
# It asks where the server listens by its variables (ECHOD_ADMIN_LISTEN, ECHOD_LISTEN, PORT). It gives up after 5 s, and says
# why.
HEALTHCHECK --interval=10s --timeout=6s --start-period=2s --retries=3 \
    CMD ["/echod", "--check"]
ENTRYPOINT ["/echod"]
