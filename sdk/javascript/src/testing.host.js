// What the host of a test knows and has heard.
export const host = {};

export function reset(facts = {}) {
  for (const key of Object.keys(host)) delete host[key];
  return Object.assign(host, {
    jobId: "test-job",
    runId: "test-run",
    attempt: 1,
    scheduledAt: "2030-01-01T00:00:00+00:00",
    previousSuccess: undefined,
    cause: "trigger",
    idempotencyKey: "test-key",
    deadlineMs: 60_000,
    cancelled: false,
    config: {},
    lines: [],
    progress: undefined,
    state: {},
    jobs: {},
    runs: [],
    http: undefined,
    ...facts,
  });
}

reset();
