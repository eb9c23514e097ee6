import { InvalidValueError } from "@seshat/common";

/** Where to connect, or to listen. */
export interface Address {
  /** A name or an IP address, without brackets. */
  readonly host: string;
  readonly port: number;
}

const FORM = /^(?:\[([0-9a-fA-F:.%\w]+)\]|([^\s:[\]/@,]+)):(\d{1,5})$/;

/**
 * Reads `host:port`, `10.0.0.1:7000` or `[::1]:7000`.
 *
 * @throws {InvalidValueError} that names `field`.
 */
export function parseAddress(field: string, address: unknown): Address {
  const [, v6, name, digits] = (typeof address === "string" ? FORM.exec(address) : null) ?? [];
  const host = v6 ?? name;
  const port = Number(digits);
  if (host === undefined || port > 65_535) {
    throw new InvalidValueError(field, address, 'an address such as "10.0.0.1:7000" or "[::1]:7000"');
  }
  return { host, port };
}

export function formatAddress({ host, port }: Address): string {
  return host.includes(":") ? `[${host}]:${port}` : `${host}:${port}`;
}
