import { defineConfig } from "vite";

// The built files are committed and go into the wheel: names without hashes keep their history readable.
export default defineConfig({
  build: {
    outDir: "../kgrisk/serve/static",
    emptyOutDir: true,
    target: "es2022",
    assetsInlineLimit: 0,
    rollupOptions: {
      output: { entryFileNames: "explorer.js", chunkFileNames: "[name].js", assetFileNames: "explorer[extname]" },
    },
  },
});
