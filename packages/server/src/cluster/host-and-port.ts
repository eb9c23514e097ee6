/** `host:port`, with brackets around a host of IPv6. */
export function formatAddress(host: string, port: number): string {
  return host.includes(":") ? `[${host}]:${port}` : `${host}:${port}`;
}

/** Whether it is `host:port`, with a port that there can be. */
export function isAddress(text: string): boolean {
  return /^.{1,255}:\d{1,5}$/.test(text) && Number(hostAndPort(text)[1]) <= 65_535;
}

/** Takes `host:port` apart; a host of IPv6 comes without its brackets. */
export function hostAndPort(address: string | undefined): readonly [host: string, port: string] {
  if (address === undefined) return ["", "0"];
  const at = address.lastIndexOf(":");
  return [address.slice(0, at).replace(/^\[|\]$/g, ""), address.slice(at + 1)];
}
