// MITRE ATT&CK techniques that detectors name, from the Enterprise matrix (attack.mitre.org).

const NAMES: Record<string, string> = {
  T1018: "Remote System Discovery",
  T1021: "Remote Services",
  T1029: "Scheduled Transfer",
  T1041: "Exfiltration Over C2 Channel",
  T1046: "Network Service Discovery",
  T1048: "Exfiltration Over Alternative Protocol",
  T1071: "Application Layer Protocol",
  "T1071.004": "Application Layer Protocol: DNS",
  T1090: "Proxy",
  T1095: "Non-Application Layer Protocol",
  T1105: "Ingress Tool Transfer",
  T1498: "Network Denial of Service",
  T1499: "Endpoint Denial of Service",
  T1557: "Adversary-in-the-Middle",
  "T1568.002": "Dynamic Resolution: Domain Generation Algorithms",
  T1571: "Non-Standard Port",
  T1572: "Protocol Tunneling",
  "T1590.002": "Gather Victim Network Information: DNS",
};

/** Empty when we do not know it. */
export function attackName(id: string): string {
  return NAMES[id] ?? "";
}

/** Null for what is no id, which could lead anywhere. */
export function attackPage(id: string): string | null {
  const parts = /^(T\d{4})(?:\.(\d{3}))?$/.exec(id);
  if (!parts) return null;
  return `https://attack.mitre.org/techniques/${parts[1]}/${parts[2] ? `${parts[2]}/` : ""}`;
}
