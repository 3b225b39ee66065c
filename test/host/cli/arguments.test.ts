import { describe, expect, test } from "vitest";
import { readArguments, USAGE } from "../../../host/cli/arguments.ts";
import { UsageError } from "../../../host/cli/usage_error.ts";

const options = {
  port: undefined,
  tlsPort: undefined,
  host: "localhost",
  path: undefined,
  tlsKeyFile: undefined,
  tlsCertFile: undefined,
  devCert: false,
  limits: {},
  memoryMiB: undefined,
  instances: undefined,
  deadlineMs: 10_000,
};

describe("the command line", () => {
  test("defaults leave the choice of ports to the command", () => {
    expect(readArguments(["serve", "app.js"])).toEqual({ name: "serve", module: "app.js", options });
    expect(readArguments(["demo"])).toEqual({ name: "demo", options });
  });

  test("takes every option, before or after the command", () => {
    const words =
      "--port 1 serve --tls-port=2 app.js --host ::1 --tls-key k --tls-cert c --limit headBytes=1024 --limit fieldCount=9 --memory-mib 64 --instances 3 --deadline-ms 5";
    expect(readArguments(words.split(" "))).toEqual({
      name: "serve",
      module: "app.js",
      options: {
        ...options,
        port: 1,
        tlsPort: 2,
        host: "::1",
        tlsKeyFile: "k",
        tlsCertFile: "c",
        limits: { headBytes: 1024, fieldCount: 9 },
        memoryMiB: 64,
        instances: 3,
        deadlineMs: 5,
      },
    });
    const unix = readArguments(["demo", "--path", "/tmp/s", "--dev-cert"]);
    expect(unix).toEqual({ name: "demo", options: { ...options, path: "/tmp/s", devCert: true } });
  });

  test("takes ports and host from the environment, options first", () => {
    const env = { PORT: "1", TLS_PORT: "2", HOST: "0.0.0.0" };
    const expected = { ...options, port: 9, tlsPort: 2, host: "0.0.0.0" };
    expect(readArguments(["demo", "-p", "9"], env)).toEqual({ name: "demo", options: expected });
  });

  test("answers --help and --version whatever else is there", () => {
    expect(readArguments(["--help"])).toEqual({ name: "help" });
    expect(readArguments(["serve", "-h"])).toEqual({ name: "help" });
    expect(readArguments(["-v"])).toEqual({ name: "version" });
  });

  test.each<[words: string[], message: string]>([
    [[], "a command is missing"],
    [["start"], '"start" is not a command; there are serve, demo and replay'],
    [["serve"], "serve needs a module"],
    [["serve", "a", "b"], 'serve takes one module; there is also "b"'],
    [["demo", "a"], 'demo takes no operands; there is "a"'],
    [["demo", "--prot", "1"], "Unknown option '--prot'"],
    [["demo", "--port"], "'-p, --port <value>' argument missing"],
    [["demo", "--port", "http"], '--port is "http"; it must be a whole number'],
    [["demo", "--port=-1"], '--port is "-1"; it must be a whole number'],
    [["demo", "--limit", "headBytes"], '--limit is "headBytes"; it must be NAME=N'],
    [["demo", "--limit", "headBytes=many"], '--limit is "headBytes=many"; it must be NAME=N'],
    [["demo", "--tls-key", "k"], "--tls-key is given without --tls-cert"],
    [["demo", "--tls-cert", "c"], "--tls-cert is given without --tls-key"],
    [["demo", "--tls-key", "k", "--tls-cert", "c", "--dev-cert"], "choose one"],
  ])("refuses %j", (words, message) => {
    const read = () => readArguments(words);
    expect(read).toThrow(UsageError);
    expect(read).toThrow(message);
  });

  test("explains every option it takes", () => {
    for (const name of "port host path tls-key tls-cert dev-cert tls-port limit memory-mib instances deadline-ms".split(
      " ",
    )) {
      expect(USAGE).toContain(`--${name} `);
    }
  });
});
