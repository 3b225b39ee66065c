# Builds the engine and the host, then keeps only what runs: dist/ and the production dependencies.
#
# Nothing native is in it, so the build runs once, on the machine that builds, whatever the platforms that the image is for:
# docker buildx build --platform linux/amd64,linux/arm64 .
ARG NODE_IMAGE=node:22-slim
ARG BUILD_IMAGE=node:22-slim
FROM --platform=$BUILDPLATFORM ${BUILD_IMAGE} AS build
WORKDIR /src
COPY package.json package-lock.json .npmrc ./
RUN npm ci
COPY . .
RUN npm run build && npm prune --omit=dev

FROM --platform=$TARGETPLATFORM ${NODE_IMAGE}
ENV NODE_ENV=production
WORKDIR /app
COPY --from=build /src/package.json /src/LICENSE ./
COPY --from=build /src/node_modules ./node_modules
COPY --from=build /src/dist ./dist
USER node
EXPOSE 8080
# Node as process 1 is sent SIGTERM by `docker stop`; the command line closes gracefully on it.
CMD ["node", "dist/cli.js", "demo", "--host", "0.0.0.0", "--port", "8080"]
