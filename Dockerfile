# syntax=docker/dockerfile:1
# One image for every part: `docker run rollcall/rollcall registry ...`, `lb`, `node-proxy`, `dns`, or a command such as
# `get svc`. Built from the root of the project: docker build -t rollcall/rollcall .
FROM node:24-slim AS build
WORKDIR /src
RUN npm install --global pnpm@12.21.0
COPY package.json pnpm-lock.yaml pnpm-workspace.yaml tsconfig.base.json tsconfig.json tsconfig.test.json LICENSE ./
COPY packages packages
RUN pnpm install --frozen-lockfile --trust-lockfile \
 && pnpm exec tsc -b packages/rollcall \
 && pnpm --filter rollcall deploy --prod --legacy /out

FROM node:24-slim
ENV NODE_ENV=production
WORKDIR /app
COPY --from=build /out ./
USER node
EXPOSE 7400 8080 7480 8053/udp 8053/tcp
# HEALTH_URL: the /readyz of what runs; a command that ends by itself needs none.
HEALTHCHECK --interval=5s --timeout=3s --start-period=15s \
  CMD ["node", "-e", "const u = process.env.HEALTH_URL; if (u) fetch(u).then((r) => process.exit(r.ok ? 0 : 1), () => process.exit(1))"]
ENTRYPOINT ["node", "dist/main.js"]
