// The files of examples/deploy/ and the Dockerfile: what they name exists, and they agree with each other and with what the demo,
// which the image runs, answers.

import { existsSync, readFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { expect, test } from "vitest";
import { parse, parseAllDocuments } from "yaml";
import { demoApp } from "../../host/cli/demo_app.ts";
import { root } from "./program.ts";

const deployDir = join(root, "examples/deploy");
const dockerfile = readFileSync(join(root, "Dockerfile"), "utf8");
const port = Number(/EXPOSE (\d+)/.exec(dockerfile)![1]);
const { app } = demoApp(() => Promise.resolve(""));

interface Probe {
  httpGet: { path: string; port: string };
}

interface Container {
  ports: { name: string; containerPort: number }[];
  securityContext: { readOnlyRootFilesystem: boolean };
  startupProbe: Probe;
  livenessProbe: Probe;
  readinessProbe: Probe;
}

interface Manifest {
  kind: string;
  metadata: { name: string };
  spec: {
    selector: Record<string, unknown>;
    ports?: { targetPort: string }[];
    template?: {
      metadata: { labels: Record<string, string> };
      spec: { securityContext: { runAsNonRoot: boolean }; containers: Container[] };
    };
  };
}

async function statusOf(path: string): Promise<number> {
  return (await app.fetch(new Request(`http://localhost${path}`))).status;
}

test("the Dockerfile runs as another user than root, and copies what exists", () => {
  const stages = dockerfile.split(/^FROM /m);
  expect(stages.at(-1)).toMatch(/^USER node$/m);
  expect(dockerfile).toContain(`"--port", "${port}"`);
  const copied = [...dockerfile.matchAll(/^COPY (?!--from)(.*) \S+$/gm)].flatMap((match) =>
    match[1]!.split(" "),
  );
  for (const path of copied) expect(existsSync(join(root, path)), path).toBe(true);
});

test("the manifests of Kubernetes fit together and ask for routes that exist", async () => {
  const text = readFileSync(join(deployDir, "kubernetes.yaml"), "utf8");
  const documents = parseAllDocuments(text);
  expect(documents.flatMap(({ errors }) => errors)).toEqual([]);
  const manifests = documents.map((document) => document.toJS() as Manifest);
  const of = (kind: string) => manifests.find((manifest) => manifest.kind === kind)!;
  const { template } = of("Deployment").spec;
  const { labels } = template!.metadata;
  expect(of("Deployment").spec.selector).toEqual({ matchLabels: labels });
  expect(of("Service").spec.selector).toEqual(labels);
  expect(of("PodDisruptionBudget").spec.selector).toEqual({ matchLabels: labels });
  expect(template!.spec.securityContext.runAsNonRoot).toBe(true);
  const [container] = template!.spec.containers;
  expect(container!.ports).toEqual([{ name: of("Service").spec.ports![0]!.targetPort, containerPort: port }]);
  expect(container!.securityContext.readOnlyRootFilesystem).toBe(true);
  for (const probe of [container!.startupProbe, container!.livenessProbe, container!.readinessProbe]) {
    expect(probe.httpGet.port).toBe("http");
    expect(await statusOf(probe.httpGet.path)).toBe(200);
  }
});

test("the compose file builds what is here and publishes its port", async () => {
  const file = parse(readFileSync(join(deployDir, "compose.yaml"), "utf8")) as {
    services: Record<
      string,
      { build: { context: string; dockerfile: string }; ports: string[]; healthcheck: { test: string[] } }
    >;
  };
  const service = file.services["httpy"]!;
  expect(existsSync(join(resolve(deployDir, service.build.context), service.build.dockerfile))).toBe(true);
  expect(service.ports).toEqual([`${port}:${port}`]);
  const url = new URL(/http:[^']+/.exec(service.healthcheck.test.at(-1))![0]);
  expect([Number(url.port), await statusOf(url.pathname)]).toEqual([port, 200]);
});
