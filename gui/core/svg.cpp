#include "gui/core/svg.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdint>
#include <map>
#include <utility>
#include <vector>

#include "gui/core/utf8.h"

namespace mqlab::gui {

namespace {

// Hundredths, without trailing zeros: "12", "12.5", "-0.25". Made of whole numbers, so that no locale has a say.
std::string number(float v) {
  if (std::isnan(v)) v = 0;  // of a scene without a size
  const auto hundredths = static_cast<std::int64_t>(std::llround(std::clamp(static_cast<double>(v), -1e7, 1e7) * 100));
  const std::int64_t whole = std::abs(hundredths) / 100, rest = std::abs(hundredths) % 100;
  std::string out = hundredths < 0 ? "-" : "";
  out += std::to_string(whole);
  if (rest != 0) {
    out += '.';
    out += static_cast<char>('0' + rest / 10);
    if (rest % 10 != 0) out += static_cast<char>('0' + rest % 10);
  }
  return out;
}

bool is_number(Point p) { return std::isfinite(p.x) && std::isfinite(p.y); }

void append_utf8(std::string& out, char32_t c) {
  const auto byte = [&](char32_t b) { out += static_cast<char>(static_cast<unsigned char>(b)); };
  if (c < 0x80) byte(c);
  else if (c < 0x800) byte(0xC0U | c >> 6U), byte(0x80U | (c & 0x3FU));
  else if (c < 0x10000) byte(0xE0U | c >> 12U), byte(0x80U | (c >> 6U & 0x3FU)), byte(0x80U | (c & 0x3FU));
  else byte(0xF0U | c >> 18U), byte(0x80U | (c >> 12U & 0x3FU)), byte(0x80U | (c >> 6U & 0x3FU)), byte(0x80U | (c & 0x3FU));
}

std::string attribute(std::string_view name, std::string_view value) {
  std::string out = " ";
  out += name;
  out += "=\"";
  out += xml_escaped(value);
  out += '"';
  return out;
}

constexpr std::pair<float, float> star[10] = {{0.0F, -1.0F}, {0.224514F, -0.309017F}, {0.951057F, -0.309017F}, {0.363271F, 0.118034F}, {0.587785F, 0.809017F},
                                              {0.0F, 0.381966F}, {-0.587785F, 0.809017F}, {-0.363271F, 0.118034F}, {-0.951057F, -0.309017F}, {-0.224514F, -0.309017F}};

std::vector<Point> corners_of(const Shape& s, float r) {
  const Point c = s.from;
  switch (s.kind) {
    case ShapeKind::diamond: return {{c.x, c.y - r}, {c.x + r, c.y}, {c.x, c.y + r}, {c.x - r, c.y}};
    case ShapeKind::triangle: {
      double dx = static_cast<double>(s.to.x) - c.x, dy = static_cast<double>(s.to.y) - c.y;
      const double length = std::sqrt(dx * dx + dy * dy);
      if (length > 0 && std::isfinite(length)) dx /= length, dy /= length;
      else dx = 1, dy = 0;
      const float x = static_cast<float>(dx) * r, y = static_cast<float>(dy) * r;
      return {{c.x + x, c.y + y}, {c.x - 0.5F * x - 0.866025F * y, c.y - 0.5F * y + 0.866025F * x}, {c.x - 0.5F * x + 0.866025F * y, c.y - 0.5F * y - 0.866025F * x}};
    }
    default: {
      std::vector<Point> out;
      for (const auto& [x, y] : star) out.push_back({c.x + x * r, c.y + y * r});
      return out;
    }
  }
}

std::string points_of(const std::vector<Point>& points) {
  std::string out;
  for (const Point p : points) {
    if (!out.empty()) out += ' ';
    out += number(p.x) + "," + number(p.y);
  }
  return out;
}

// Upright edges on whole pixels, as on the canvas.
constexpr const char* sharp = " shape-rendering=\"crispEdges\"";

class Writer {
 public:
  Writer(const Scene& scene, const SvgOptions& options) : scene_(scene), options_(options) {
    for (const Named& n : scene.named())
      if (n.entity) names_.emplace(word(n.entity), &n.text);  // the first name counts
  }

  std::string whole() {
    const float below = options_.remarks ? 18 * static_cast<float>(scene_.remarks().size()) : 0;
    const std::string w = number(scene_.width()), h = number(scene_.height() + below);
    if (options_.alone) out_ += "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n";
    out_ += "<svg";
    if (options_.alone) out_ += " xmlns=\"http://www.w3.org/2000/svg\"";
    out_ += attribute("width", w) + attribute("height", h) + attribute("viewBox", "0 0 " + w + " " + h) + " role=\"img\" font-family=\"DejaVu Sans, Verdana, sans-serif\" font-size=\"13\">\n";
    if (!options_.title.empty()) out_ += "<title>" + xml_escaped(options_.title) + "</title>\n";
    std::string description = options_.description;
    for (const std::string& r : scene_.remarks()) description += (description.empty() ? "" : "\n") + r;
    if (!description.empty()) out_ += "<desc>" + xml_escaped(description) + "</desc>\n";
    clips();
    out_ += "<rect width=\"100%\" height=\"100%\"" + attribute("fill", hexadecimal(colour(Ink::background, options_.theme))) + "/>\n";
    int clip = -1;
    for (const Shape& s : scene_.shapes()) {
      if (s.clip != clip) {
        if (clip >= 0) out_ += "</g>\n";
        clip = s.clip;
        out_ += "<g clip-path=\"url(#" + xml_escaped(options_.ids) + "clip" + std::to_string(clip) + ")\">\n";
      }
      shape(s);
    }
    if (clip >= 0) out_ += "</g>\n";
    float y = scene_.height() + 13;
    if (options_.remarks)
      for (const std::string& r : scene_.remarks()) {
        out_ += "<text x=\"4\"" + attribute("y", number(y)) + attribute("fill", hexadecimal(colour(Ink::faint, options_.theme))) + ">" + xml_escaped(r) + "</text>\n";
        y += 18;
      }
    out_ += "</svg>\n";
    return std::move(out_);
  }

 private:
  void clips() {
    std::vector<bool> used(scene_.clips().size(), false);
    for (const Shape& s : scene_.shapes()) used[s.clip] = true;
    out_ += "<defs>\n";
    for (std::size_t i = 0; i < used.size(); ++i) {
      if (!used[i]) continue;
      const Rect r = scene_.clips()[i];
      const bool good = is_number({r.x, r.y}) && std::isfinite(r.w) && std::isfinite(r.h) && r.w > 0 && r.h > 0;
      out_ += "<clipPath id=\"" + xml_escaped(options_.ids) + "clip" + std::to_string(i) + "\"><rect" + (good ? box(r) : " width=\"0\" height=\"0\"") + "/></clipPath>\n";
    }
    out_ += "</defs>\n";
  }

  static std::string box(Rect r) { return attribute("x", number(r.x)) + attribute("y", number(r.y)) + attribute("width", number(r.w)) + attribute("height", number(r.h)); }

  // One element, or several in a group; with the entity and its name.
  void element(const Shape& s, const std::string& body) {
    const std::string entity = word(s.entity);
    if (entity.empty()) {
      out_ += body;
      return;
    }
    out_ += "<g" + attribute("data-entity", entity) + ">";
    if (const auto it = names_.find(entity); it != names_.end() && !it->second->empty()) out_ += "<title>" + xml_escaped(*it->second) + "</title>";
    out_ += body;
    out_.pop_back();
    out_ += "</g>\n";
  }

  std::string fill(const Shape& s) const {
    return attribute("fill", hexadecimal(colour(s.ink, options_.theme))) + (s.opacity == 255 ? "" : attribute("fill-opacity", number(static_cast<float>(s.opacity) / 255)));
  }
  std::string stroke(const Shape& s, float width, float dash_part = 1) const {
    std::string out = " fill=\"none\"" + attribute("stroke", hexadecimal(colour(s.ink, options_.theme))) + attribute("stroke-width", number(width));
    if (s.dashed) out += attribute("stroke-dasharray", number(std::max(5.0F, 4 * width) * dash_part) + " " + number(std::max(4.0F, 3 * width) * dash_part));
    if (s.opacity != 255) out += attribute("stroke-opacity", number(static_cast<float>(s.opacity) / 255));
    return out;
  }

  void shape(const Shape& s) {
    if (s.opacity == 0) return;
    const float width = std::isfinite(s.width) && s.width > 0 ? s.width : 1, second = 2.5F + std::max(width, 1.0F);
    const auto line = [&](Point a, Point b, const std::string& style) {
      return "<line" + attribute("x1", number(a.x)) + attribute("y1", number(a.y)) + attribute("x2", number(b.x)) + attribute("y2", number(b.y)) + style +
             (a.x == b.x || a.y == b.y ? sharp : "") + "/>\n";
    };
    const auto circle = [&](float r, const std::string& style) {
      return "<circle" + attribute("cx", number(s.from.x)) + attribute("cy", number(s.from.y)) + attribute("r", number(r)) + style + "/>\n";
    };
    switch (s.kind) {
      case ShapeKind::line: {
        if (!is_number(s.from) || !is_number(s.to)) return;
        if (!s.doubled) return element(s, line(s.from, s.to, stroke(s, width)));
        const float dx = s.to.x - s.from.x, dy = s.to.y - s.from.y, length = std::sqrt(dx * dx + dy * dy);
        if (!(length > 0) || !std::isfinite(length)) return;
        const float x = dy / length * (width + 2) / 2, y = -dx / length * (width + 2) / 2;
        return element(s, line({s.from.x + x, s.from.y + y}, {s.to.x + x, s.to.y + y}, stroke(s, width)) + line({s.from.x - x, s.from.y - y}, {s.to.x - x, s.to.y - y}, stroke(s, width)));
      }
      case ShapeKind::polyline: {
        std::string body;  // broken where a point is none
        std::vector<Point> run;
        const auto flush = [&] {
          if (run.size() > 1) body += "<polyline" + attribute("points", points_of(run)) + stroke(s, width) + "/>\n";
          run.clear();
        };
        for (std::uint32_t i = 0; i < s.count; ++i) {
          const Point p = scene_.points()[s.first + i];
          if (is_number(p)) run.push_back(p);
          else flush();
        }
        flush();
        if (!body.empty()) element(s, body);
        return;
      }
      case ShapeKind::polygon: {
        std::vector<Point> p;
        for (std::uint32_t i = 0; i < s.count; ++i)
          if (is_number(scene_.points()[s.first + i])) p.push_back(scene_.points()[s.first + i]);
        if (p.size() < 3) return;
        std::string body = "<polygon" + attribute("points", points_of(p)) + (s.filled ? fill(s) : stroke(s, width)) + "/>\n";
        if (s.doubled) body += "<polygon" + attribute("points", points_of(p)) + " stroke-linejoin=\"miter\"" + stroke(s, 1) + "/>\n";
        return element(s, body);
      }
      case ShapeKind::rectangle: {
        if (!is_number(s.from) || !is_number(s.to)) return;
        const Rect r{std::min(s.from.x, s.to.x), std::min(s.from.y, s.to.y), std::abs(s.to.x - s.from.x), std::abs(s.to.y - s.from.y)};
        const float radius = std::isfinite(s.radius) ? std::max(0.0F, s.radius) : 0;
        const auto rect = [&](Rect q, float round, const std::string& style) { return "<rect" + box(q) + (round > 0 ? attribute("rx", number(round)) : sharp) + style + "/>\n"; };
        const auto inner = [&](Rect q, float w) { return Rect{q.x + w / 2, q.y + w / 2, std::max(0.0F, q.w - w), std::max(0.0F, q.h - w)}; };  // the outline lies inside
        std::string body = s.filled ? rect(r, radius, fill(s)) : rect(inner(r, width), radius > 0 ? std::max(0.5F, radius - width / 2) : 0, stroke(s, width));
        if (s.doubled) {
          const float w = std::max(width, 1.0F);
          body += rect(inner({r.x - second, r.y - second, r.w + 2 * second, r.h + 2 * second}, w), radius > 0 ? radius + second : 0, stroke(s, w));
        }
        return element(s, body);
      }
      case ShapeKind::text: {
        if (!is_number(s.from) || !std::isfinite(s.width) || !(s.width > 0) || s.label.empty()) return;
        constexpr float ascent = 12;  // of a line that is 15 high
        std::string body = "<text" + attribute("x", number(s.from.x)) + attribute("y", number(s.from.y + ascent * s.width)) + fill(s);
        if (s.anchor != Anchor::left) body += s.anchor == Anchor::centre ? " text-anchor=\"middle\"" : " text-anchor=\"end\"";
        if (s.width != 1) body += attribute("font-size", number(13 * s.width));
        if (s.mono == Mono::yes) body += " font-family=\"DejaVu Sans Mono, monospace\"";
        return element(s, body + " xml:space=\"preserve\">" + xml_escaped(s.label) + "</text>\n");
      }
      case ShapeKind::cross: {
        if (!is_number(s.from) || !std::isfinite(s.radius)) return;
        const float d = s.radius * 0.70711F, w = std::max(width, 1.5F);
        Shape whole = s;
        whole.dashed = false;  // a cross in pieces is none
        const std::string style = stroke(whole, w);
        std::string body = line({s.from.x - d, s.from.y - d}, {s.from.x + d, s.from.y + d}, style) + line({s.from.x - d, s.from.y + d}, {s.from.x + d, s.from.y - d}, style);
        if (s.doubled) body += circle(std::max(0.0F, s.radius + second), stroke(s, std::max(width, 1.0F), 0.5F));
        return element(s, body);
      }
      default: {
        if (!is_number(s.from) || !std::isfinite(s.radius) || !(s.radius >= 0)) return;
        std::string body;
        const auto outline = [&](float r, const std::string& style) {
          if (s.kind == ShapeKind::circle) body += circle(r, style);
          else body += "<polygon" + attribute("points", points_of(corners_of(s, r))) + style + "/>\n";
        };
        outline(s.radius, s.filled ? fill(s) : stroke(s, width, 0.5F));
        if (s.doubled) {
          // So far out that the edges, not the corners, are `second` away.
          const float more = s.kind == ShapeKind::triangle ? 2 * second : s.kind == ShapeKind::diamond ? 1.41421F * second : second;
          if (s.kind == ShapeKind::star) body += circle(s.radius + second, stroke(s, std::max(width, 1.0F), 0.5F));
          else outline(s.radius + more, stroke(s, std::max(width, 1.0F), 0.5F));
        }
        return element(s, body);
      }
    }
  }

  const Scene& scene_;
  const SvgOptions& options_;
  std::map<std::string, const std::string*> names_;
  std::string out_;
};

}  // namespace

std::string svg_of(const Scene& scene, const SvgOptions& options) { return Writer(scene, options).whole(); }

std::string word(EntityId entity) {
  using Kind = EntityId::Kind;
  const auto with = [&](const char* kind, bool both) { return std::string(kind) + " " + std::to_string(entity.a) + (both ? " " + std::to_string(entity.b) : ""); };
  switch (entity.kind) {
    case Kind::none: break;
    case Kind::node: return with("node", false);
    case Kind::link: return with("link", true);
    case Kind::event: return with("event", false);
    case Kind::drop: return with("drop", false);
    case Kind::mark: return with("mark", false);
    case Kind::op: return with("op", false);
    case Kind::message: return with("message", false);
    case Kind::place: return with("place", false);
    case Kind::record: return with("record", true);
    case Kind::fault: return with("fault", false);
    case Kind::verdict: return with("verdict", false);
    case Kind::series: return with("series", false);
    case Kind::time: return with("time", false);
    case Kind::control: return with("control", false);
  }
  return {};
}

std::string xml_escaped(std::string_view text) {
  std::string out;
  out.reserve(text.size());
  while (!text.empty()) {
    const char32_t c = next_character(text);
    if (c == '&') out += "&amp;";
    else if (c == '<') out += "&lt;";
    else if (c == '>') out += "&gt;";
    else if (c == '"') out += "&quot;";
    else if (c == '\n' || c == '\t' || c == '\r') out += "&#" + std::to_string(static_cast<unsigned>(c)) + ";";
    else if (c < 0x20 || c == 0xFFFE || c == 0xFFFF) out += "\xEF\xBF\xBD";
    else append_utf8(out, c);
  }
  return out;
}

}  // namespace mqlab::gui
