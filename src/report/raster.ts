// SVG → PNG by resvg with the DejaVu fonts, so that the picture is the same on every machine.
import { createRequire } from "node:module";

/** Pixels per unit of the figure. */
const zoom = 2;

const faces = ["DejaVuSans.ttf", "DejaVuSans-Bold.ttf"];

/** The bytes of a PNG of `svg`, at twice its size. */
export async function png(svg: string): Promise<Uint8Array> {
  const { Resvg } = await import("@resvg/resvg-js");
  const { resolve } = createRequire(import.meta.url);
  const fontFiles = faces.map((face) => resolve(`dejavu-fonts-ttf/ttf/${face}`));
  // resvg takes an unknown value in `style` for "smooth" and forgets the attribute.
  const crisp = svg.replaceAll(' style="image-rendering:pixelated"', "");
  const image = new Resvg(crisp, {
    fitTo: { mode: "zoom", value: zoom },
    font: {
      loadSystemFonts: false,
      fontFiles,
      defaultFontFamily: "DejaVu Sans",
      sansSerifFamily: "DejaVu Sans",
    },
  });
  return image.render().asPng();
}
