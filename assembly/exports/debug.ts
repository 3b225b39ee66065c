/** Doors of the debug build only. */

/** Traps on purpose, so that a host can show what it does when an instance fails. */
export function debugTrap(): void {
  unreachable();
}
