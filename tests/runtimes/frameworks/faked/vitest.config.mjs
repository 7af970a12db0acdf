export default {
  test: { include: ["faked.vitest.mjs"], setupFiles: ["./vitest.setup.mjs"] },
};
