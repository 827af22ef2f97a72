// What the engine's module promises to JavaScript. Node and Chromium run the same cases: `run` gets the module and
// node:assert's strict equality.

export const cases = [
  {
    name: "tells its version",
    run(resplay, equal) {
      equal(/^\d+\.\d+\.\d+$/.test(resplay.version()), true);
    },
  },
];
