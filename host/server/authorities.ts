// Which authorities a server speaks for (RFC 9110 §7.4): requests for others are answered 421 (Misdirected Request).
//
// A name with a port is served on that port only, a name alone whatever port the client used, since what a client sees of a
// port forwarded or mapped on the way is not known here. Letter case makes no difference.

/** Answers for a request's authority whether it is among `authorities`. */
export function authorityTest(authorities: readonly string[]): (authority: string) => boolean {
  const served = new Set(authorities.map((authority) => authority.toLowerCase()));
  return (authority) => {
    const lower = authority.toLowerCase();
    return served.has(lower) || served.has(lower.replace(/:\d*$/u, ""));
  };
}
