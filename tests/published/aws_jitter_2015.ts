// Calls and time of "Exponential Backoff And Jitter", AWS Architecture Blog, 2015: means
// and standard deviations of 200 runs of an independent rewrite, which agrees with the
// published code: https://github.com/aws-samples/aws-arch-backoff-simulator

import type { Published } from "./comparison.ts";

/** The number of runs of each mean. */
const runs = 200;

const table = `
clients,algorithm,calls_mean,calls_sd,time_mean,time_sd
10,exponential,50.5,4.2,3383.2,1295.5
10,decorrelated,37.6,2.2,434.0,84.1
10,equal,42.5,2.4,726.1,154.6
10,full,39.0,2.3,462.5,113.0
10,none,50.9,3.9,381.8,33.9
50,exponential,627.1,27.3,36676.0,3033.4
50,decorrelated,373.0,12.6,2157.8,468.1
50,equal,347.3,6.3,4235.2,541.3
50,full,332.6,4.7,2861.0,529.4
50,none,690.7,17.4,1146.9,44.9
100,exponential,1852.5,56.6,63217.6,3600.7
100,decorrelated,999.9,28.8,4552.4,588.3
100,equal,813.3,7.6,6656.8,623.7
100,full,795.8,6.7,4874.4,505.5
100,none,2424.9,31.9,2029.4,45.1
150,exponential,3531.6,92.1,85586.7,3892.3
150,decorrelated,1762.2,49.3,6491.9,751.9
150,equal,1323.1,10.7,8251.4,657.9
150,full,1318.4,9.7,6411.8,568.3
150,none,5148.0,51.3,2880.6,42.7
190,exponential,5170.0,121.9,101130.1,3994.1
190,decorrelated,2438.5,60.5,7914.5,850.3
190,equal,1758.6,12.3,9384.8,608.9
190,full,1772.3,12.5,7377.9,489.0
190,none,7999.9,65.7,3538.3,43.6
`;

/** The rows of the table. */
export const published: readonly {
  readonly clients: number;
  readonly algorithm: string;
  readonly calls: Published;
  readonly time: Published;
}[] = table.trim().split("\n").slice(1).map((line) => {
  const [clients, algorithm = "", ...numbers] = line.split(",");
  const [calls = NaN, ofCalls = NaN, time = NaN, ofTime = NaN] = numbers.map(Number);
  return {
    clients: Number(clients),
    algorithm,
    calls: { mean: calls, deviation: ofCalls, runs },
    time: { mean: time, deviation: ofTime, runs },
  };
});
