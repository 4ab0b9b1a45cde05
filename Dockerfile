# syntax=docker/dockerfile:1
# One image for every part: `docker run rollcall/rollcall registry ...`, `lb`, `node-proxy`, `dns`, or a command such as
# `get svc`. Built from the root of the project: docker build -t rollcall/rollcall .
# `npm run image` runs these steps without an engine. It maps no paths in a RUN: name those below WORKDIR relative to it.
FROM node:24-slim AS build
WORKDIR /src
# The time of the release, for files that are the same whenever they are made.
ARG SOURCE_DATE_EPOCH
RUN npm install --global pnpm@12.21.0
COPY package.json pnpm-lock.yaml pnpm-workspace.yaml tsconfig.base.json tsconfig.json tsconfig.test.json LICENSE ./
COPY packages packages
COPY scripts/app scripts/app
RUN pnpm install --frozen-lockfile --trust-lockfile \
 && pnpm exec tsc -b packages/rollcall \
 && node scripts/app/main.ts out

# Debian rather than Alpine: the Node.js project tests its builds with glibc, and musl resolves DNS names in its own way.
# Not distroless: `docker exec` with a shell is worth more to operators than the megabytes.
FROM node:24-slim
ARG VERSION=0.1.0
LABEL org.opencontainers.image.title="Rollcall" \
      org.opencontainers.image.version="$VERSION" \
      org.opencontainers.image.licenses="MIT" \
      org.opencontainers.image.source="https://github.com/rollcall-dev/rollcall"
ENV NODE_ENV=production
WORKDIR /app
# With THIRD-PARTY.txt, the terms of all libraries, and sbom.cdx.json, the list of them.
COPY --from=build /src/out ./
USER node
EXPOSE 7400 8080 7480 8053/udp 8053/tcp
# HEALTH_URL: the /readyz of what runs; a command that ends by itself needs none.
HEALTHCHECK --interval=5s --timeout=3s --start-period=15s \
  CMD ["node", "-e", "const u = process.env.HEALTH_URL; if (u) fetch(u).then((r) => process.exit(r.ok ? 0 : 1), () => process.exit(1))"]
ENTRYPOINT ["node", "dist/main.js"]
