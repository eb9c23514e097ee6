import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { TlsOptions } from "../src/index.js";

/** Who signs the certificates of a test. */
export interface Authority {
  /** Keys and a certificate with these alternative names, e.g. `URI:seshat://blue/node/1`. */
  issue(names: readonly string[]): Pick<TlsOptions, "ca" | "cert" | "key">;
}

/** Makes a new authority with openssl, valid from now on for a day. */
export function makeAuthority(name: string): Authority {
  const dir = mkdtempSync(join(tmpdir(), "seshat-ca-"));
  const openssl = (...args: string[]): void => {
    execFileSync("openssl", args, { cwd: dir, stdio: ["ignore", "ignore", "pipe"] });
  };
  const newKey = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"];
  try {
    openssl(
      "req",
      "-x509",
      ...newKey,
      "-keyout",
      "ca.key",
      "-out",
      "ca.pem",
      "-days",
      "1",
      "-subj",
      `/CN=${name}`,
    );
    const files = { key: readFileSync(join(dir, "ca.key")), ca: readFileSync(join(dir, "ca.pem"), "utf8") };
    return { issue: (names) => issue(files, names) };
  } finally {
    rmSync(dir, { recursive: true });
  }
}

function issue(
  authority: { readonly key: Buffer; readonly ca: string },
  names: readonly string[],
): Pick<TlsOptions, "ca" | "cert" | "key"> {
  const dir = mkdtempSync(join(tmpdir(), "seshat-cert-"));
  const openssl = (...args: string[]): void => {
    execFileSync("openssl", args, { cwd: dir, stdio: ["ignore", "ignore", "pipe"] });
  };
  try {
    writeFileSync(join(dir, "ca.key"), authority.key);
    writeFileSync(join(dir, "ca.pem"), authority.ca);
    const extensions = names.length === 0 ? "basicConstraints=CA:FALSE" : `subjectAltName=${names.join(",")}`;
    writeFileSync(join(dir, "ext"), `${extensions}\n`);
    const newKey = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"];
    openssl("req", ...newKey, "-keyout", "key.pem", "-out", "req.pem", "-subj", "/CN=node");
    openssl(
      "x509",
      "-req",
      "-in",
      "req.pem",
      "-CA",
      "ca.pem",
      "-CAkey",
      "ca.key",
      "-CAcreateserial",
      "-days",
      "1",
      "-extfile",
      "ext",
      "-out",
      "cert.pem",
    );
    return {
      ca: authority.ca,
      cert: readFileSync(join(dir, "cert.pem"), "utf8"),
      key: readFileSync(join(dir, "key.pem"), "utf8"),
    };
  } finally {
    rmSync(dir, { recursive: true });
  }
}
