# A static chartd on an empty base: docker build -t chartd . && docker run -p 8080:8080 chartd
ARG GO_VERSION=1.26

FROM golang:${GO_VERSION}-bookworm AS build
WORKDIR /src
# Modules first, so that a change of source does not fetch them again.
ARG GOPROXY
COPY go.mod go.sum ./
RUN go mod download
COPY . .
ARG VERSION=dev
RUN CGO_ENABLED=0 go build -trimpath -tags timetzdata -ldflags "-s -w -X main.version=${VERSION}" -o /out/chartd ./cmd/chartd

FROM scratch
ARG VERSION=dev
LABEL org.opencontainers.image.title="chartd" \
      org.opencontainers.image.description="Draws charts on the server and pushes them live to browsers" \
      org.opencontainers.image.version="${VERSION}"
COPY --from=build /etc/ssl/certs/ca-certificates.crt /etc/ssl/certs/ca-certificates.crt
# What chartd shows until a file is mounted in its place.
COPY configs/chartd.yaml /etc/chartd/chartd.yaml
COPY --from=build /out/chartd /chartd
USER 65532:65532
ENV CHARTD_CONFIG=/etc/chartd/chartd.yaml
EXPOSE 8080
HEALTHCHECK --interval=15s --timeout=3s --start-period=5s --retries=3 CMD ["/chartd", "healthcheck"]
ENTRYPOINT ["/chartd"]
CMD ["serve"]
