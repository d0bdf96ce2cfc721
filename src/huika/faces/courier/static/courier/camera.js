// Two pictures of a card: outline, live checks, the shutter when they hold, the PIN's area covered before anything is kept.

import { AREAS, cover } from "./mask.js";
import { judge } from "./looking.js";
import { alt, bar, go, h, icon, note, say } from "./dom.js";
import { keep, kept } from "./outbox.js";

const WIDTH = 1600, HEIGHT = 1009;     // ID-1, 85.6 mm x 54 mm
const SMALL = 320;
const NAMES = { middle: ["中间", "middle"], upper: ["上面", "top"], lower: ["下面", "bottom"], none: ["这面没有", "not here"] };

function canvas(width, height) {
  const one = document.createElement("canvas");
  one.width = width;
  one.height = height;
  return one;
}

// The part of the camera's picture that is shown: the outline and a strip of table around it.
function crop(source, width, height) {
  const frame = { w: source.videoWidth || source.width, h: source.videoHeight || source.height };
  const w = Math.min(frame.w, frame.h * (WIDTH / HEIGHT)), ht = w * (HEIGHT / WIDTH);
  const paper = canvas(width, height), pen = paper.getContext("2d", { willReadFrequently: true });
  pen.drawImage(source, (frame.w - w) / 2, (frame.h - ht) / 2, w, ht, 0, 0, width, height);
  return { paper, pen };
}

function masked({ paper, pen }, area) {
  pen.putImageData(cover(pen.getImageData(0, 0, paper.width, paper.height), AREAS[area]), 0, 0);
  return paper;
}

const jpeg = (paper) => new Promise((resolve) => paper.toBlob(resolve, "image/jpeg", 0.92));

// Takes one side. Resolves { blob, area } or null when the courier goes back.
export async function takeSide(place, { title, side, kind, first }) {
  const key = `area:${kind}:${side}`;
  let area = (await kept(key)) || (side === "back" ? "middle" : "none");
  return new Promise((resolve) => {
    let stream = null, timer = 0;
    const stop = () => { clearInterval(timer); stream?.getTracks().forEach((track) => track.stop()); };
    const leave = (result) => { stop(); place.replaceChildren(); resolve(result); };

    const hint = h("p.hint", { role: "status" }, say("放平，拿稳", "Lay it flat, hold still"));
    const oks = h("p.oks", {});
    const shutter = h("button.shutter", { type: "button", disabled: true, "aria-label": say("拍照", "Take the picture") });
    const video = h("video.look", { playsinline: true, muted: true, autoplay: true, "aria-label": say("相机", "Camera") });
    const shade = h("div.shade", {});
    const frame = h("div.frame", {}, video, shade, edge());
    const choose = h("div.areas", { role: "group", "aria-label": say("密码在卡的哪里", "Where the PIN lies") });

    function edge() {
      const svg = document.createElementNS("http://www.w3.org/2000/svg", "svg"), path = document.createElementNS(svg.namespaceURI, "path");
      svg.setAttribute("class", "edge");
      svg.setAttribute("viewBox", "0 0 360 227");
      svg.setAttribute("preserveAspectRatio", "none");
      path.setAttribute("d", "M2 44V22A20 20 0 0 1 22 2H44M316 2H338A20 20 0 0 1 358 22V44M358 183V205A20 20 0 0 1 338 225H316M44 225H22A20 20 0 0 1 2 205V183");
      svg.append(path);
      return svg;
    }
    function drawAreas() {
      shade.className = `shade shade_${area}`;
      shade.textContent = area === "none" ? "" : say("密码区，拍下时涂掉", "PIN area, painted over");
      choose.replaceChildren(h("span", {}, say("密码在", "PIN at the")), ...Object.keys(AREAS).map((one) => h(`button.area${one === area ? ".on" : ""}`, {
        type: "button", "aria-pressed": String(one === area), onclick: () => { area = one; void keep(key, one); drawAreas(); },
      }, say(...NAMES[one]))));
    }
    function ok(good, yes, no) { return h(`span${good ? "" : ".no"}`, {}, icon(good ? "check" : "bang", "hk-ic-s"), good ? yes : no); }

    function look() {
      if (!video.videoWidth) return;
      const small = crop(video, SMALL, Math.round(SMALL * HEIGHT / WIDTH));
      const seen = judge(small.pen.getImageData(0, 0, small.paper.width, small.paper.height));
      shutter.disabled = !(seen.sharp && seen.calm);
      hint.textContent = !seen.calm ? say("反光了，卡斜一点", "Glare: tilt the card") : !seen.sharp ? say("不清楚，靠近些，拿稳", "Blurred: closer, hold still") : say("放平，拿稳", "Lay it flat, hold still");
      oks.replaceChildren(ok(seen.sharp, say("清晰", "Sharp"), say("不清楚", "Blurred")), ok(seen.calm, say("不反光", "No glare"), say("反光", "Glare")), h("span", {}, area === "none" ? say("这面不涂", "Not covered") : say("密码段会涂掉", "PIN band covered")));
    }

    async function review(source) {
      clearInterval(timer);
      const paper = masked(source, area), blob = await jpeg(paper);
      const image = h("img.taken", { alt: say("刚拍的，密码已涂掉", "Just taken, PIN covered") });
      image.src = URL.createObjectURL(blob);
      const back = () => { URL.revokeObjectURL(image.src); draw(); void start(); };
      place.replaceChildren(h("div.cam.full", {}, head(), h("main.view", {}, h("p.hint", {}, say("密码涂掉了吗？", "Is the PIN covered?"), h("small", {}, say("看得到密码就重拍，换一个位置", "If it shows, retake and move the area"))), h("div.frame.frame_done", {}, image)),
        bar(alt(say("重拍", "Retake"), back), go(say("用这张", "Use it"), () => { URL.revokeObjectURL(image.src); leave({ blob, area }); }))));
      place.querySelector(".hk-btn_go").focus();
    }

    function head() {
      return h("header.hk-top", {}, h("button.x", { type: "button", "aria-label": say("返回", "Back"), onclick: () => leave(null) }, icon("x")), h("h1.hk-grow.ttl", {}, title));
    }
    function file() {
      const field = h("input.hk-sr", { type: "file", accept: "image/*", capture: "environment", tabindex: "-1", "aria-hidden": "true" });
      field.addEventListener("change", async () => {
        const picked = field.files[0];
        if (!picked) return;
        const bitmap = await createImageBitmap(picked).catch(() => null);
        if (!bitmap) { hint.textContent = say("这个文件不是照片", "This file is not a picture"); return; }
        const small = crop(bitmap, SMALL, Math.round(SMALL * HEIGHT / WIDTH)), seen = judge(small.pen.getImageData(0, 0, small.paper.width, small.paper.height));
        if (!seen.sharp || !seen.calm) { hint.textContent = seen.sharp ? say("这张反光，换一张", "Glare: choose another") : say("这张不清楚，换一张", "Blurred: choose another"); return; }
        stop();
        void review(crop(bitmap, WIDTH, HEIGHT));
      });
      return field;
    }

    function draw() {
      drawAreas();
      const picker = file();
      place.replaceChildren(h("div.cam.full", {}, head(), h("main.view", {}, hint, frame, oks, choose),
        h("footer.shut", {}, first ? h("span.thumb", {}, h("img", { src: first, alt: say("正面", "Front") }), say("正面", "Front")) : h("span", {}), shutter, h("button.torch", { type: "button", "aria-label": say("从相册选", "Choose a file"), onclick: () => picker.click() }, icon("download"), picker))));
    }
    function denied() {
      const picker = file();
      place.replaceChildren(h("div", { class: "full hk-screenlike" }, h("header.hk-top", {}, h("button.hk-tool.back", { type: "button", "aria-label": say("返回", "Back"), onclick: () => leave(null) }, icon("left")), h("h1.hk-grow.ttl", {}, title)),
        h("main.hk-page.hk-g20", {}, h("section.center", {}, h("span.off", {}, icon("camoff")), h("p.hk-h1", {}, say("相机没有打开", "The camera is off")), h("p.hk-cap", {}, say("浏览器没让我们用相机。前面几步都在，不用重来。", "The browser did not let us use it. Earlier steps are kept."))),
          h("section.hk-card", {}, h("ol.howto", {}, ...[say("点地址栏左边的图标", "Tap the icon left of the address"), say("权限里把「相机」改成允许", "Allow the camera in permissions"), say("回到这里，点「再试一次」", "Come back and tap “Try again”")].map((text, n) => h("li", {}, h("span.num", {}, String(n + 1)), h("span", {}, text))))),
          note(say("也可以用手机相机拍好，再选照片。", "Or take it with the phone's own camera and choose the file."), "", "camera")),
        bar(alt(say("选照片", "Choose"), () => picker.click()), picker, go(say("再试一次", "Try again"), () => { draw(); void start(); }))));
    }
    async function start() {
      try {
        stream = await navigator.mediaDevices.getUserMedia({ video: { facingMode: "environment", width: { ideal: 1920 }, height: { ideal: 1080 } }, audio: false });
      } catch { denied(); return; }
      video.srcObject = stream;
      await video.play().catch(() => {});
      timer = setInterval(look, 200);
    }
    shutter.addEventListener("click", () => { const taken = crop(video, WIDTH, HEIGHT); stop(); void review(taken); });
    draw();
    void start();
  });
}
