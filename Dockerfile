# The job and the HTTP functions as one image: Node, the packages that run, the sources as they are (Node 24 runs TypeScript), and
# bundled what the functions run, for instances that are waited for. Nothing is written at run time, so the file system may
# be read-only, and it runs as nobody in particular.
#
#   docker build -t mk8s . && docker run --rm --read-only --cap-drop=ALL mk8s
#
# The tag is exact; `docker buildx imagetools inspect node:24.21.0-bookworm-slim` prints the digest to pin further. It is
# the Node that the tests run on (tools/node24). Debian's, for Node's builds for musl are experimental.

FROM node:24.21.0-bookworm-slim AS packages
WORKDIR /mk8s
COPY package.json package-lock.json ./
# Only what runs: no development tools, and not the Node that tools/node24 brings for them (the only optional packages).
# Install scripts are not run: no package needs one. Types and source maps are half of what is left, and nobody's here.
RUN npm ci --omit=dev --omit=optional --workspaces=false --ignore-scripts --no-audit --no-fund \
  && find node_modules -type f \( -name '*.d.ts' -o -name '*.d.cts' -o -name '*.d.mts' -o -name '*.map' \) -delete

FROM node:24.21.0-bookworm-slim AS bundled
WORKDIR /mk8s
COPY package.json package-lock.json ./
# The bundler is a development tool, and the program itself is an optional package of its platform.
RUN npm ci --workspaces=false --ignore-scripts --no-audit --no-fund
COPY tsconfig.json rolldown.config.ts ./
COPY lib lib
RUN node_modules/.bin/rolldown -c rolldown.config.ts

FROM node:24.21.0-bookworm-slim
ENV NODE_ENV=production
WORKDIR /mk8s
COPY --from=packages /mk8s/node_modules node_modules
COPY --from=bundled /mk8s/dist dist
COPY package.json LICENSE ./
COPY bin bin
COPY lib lib
COPY functions functions
# The image's user "node", by number, so that Kubernetes sees that it is not root.
USER 1000:1000
CMD ["node", "functions/job.ts"]
