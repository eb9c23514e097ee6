import { readFileSync } from "node:fs";
import type { Command } from "commander";
import { InvalidArgumentError } from "commander";
import { isAddress } from "../cluster/host-and-port.js";
import { CliError, EXIT } from "./exit-codes.js";
import type { Target } from "./resp-connection.js";

/** How to reach a server that runs. */
export interface TargetFlags {
  readonly connect: string;
  readonly passwordFile?: string;
  readonly timeoutMs: number;
}

const DEFAULT_ADDRESS = "127.0.0.1:6379";
const DEFAULT_TIMEOUT_MS = 15_000;

export function addTargetOptions(command: Command): Command {
  return command
    .option("--connect <host:port>", "a server of the cluster, as clients reach it", address, DEFAULT_ADDRESS)
    .option("--password-file <file>", "the password of clients; otherwise it is that in SESHAT_PASSWORD")
    .option("--timeout-ms <ms>", "how long to wait for an answer", milliseconds, DEFAULT_TIMEOUT_MS);
}

export function targetOf(
  { connect, passwordFile, timeoutMs }: TargetFlags,
  env: Readonly<Record<string, string | undefined>>,
): Target {
  return {
    address: connect,
    timeoutMs,
    password: passwordOf(passwordFile) ?? env["SESHAT_PASSWORD"] ?? null,
  };
}

function passwordOf(path: string | undefined): string | null {
  if (path === undefined) return null;
  try {
    return readFileSync(path, "utf8").trim();
  } catch (error) {
    throw new CliError(`cannot read ${path}: ${(error as Error).message}`, EXIT.usage);
  }
}

export function address(value: string): string {
  if (!isAddress(value)) throw new InvalidArgumentError("It must be host:port.");
  return value;
}

export function addresses(value: string): readonly string[] {
  return value.split(",").map((part) => address(part.trim()));
}

export function wholeNumber(value: string): number {
  if (!/^\d{1,15}$/.test(value)) throw new InvalidArgumentError("It must be a whole number.");
  return Number(value);
}

/** What every timer can hold: a longer time would be none at all. */
const MAX_MS = 2 ** 31 - 1;

export function milliseconds(value: string): number {
  const ms = wholeNumber(value);
  if (ms < 1 || ms > MAX_MS) throw new InvalidArgumentError(`It must be from 1 to ${MAX_MS}.`);
  return ms;
}

export function positive(value: string): number {
  const number = wholeNumber(value);
  if (number < 1) throw new InvalidArgumentError("It must be at least 1.");
  return number;
}
