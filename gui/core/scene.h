// gui/core/scene.h: what is drawn, as a value.
//
// A Scene is a list of shapes with what each stands for. The same scene is painted on a canvas (gui/canvas), asked what
// lies under the mouse, compared in tests, read to a screen reader, and written as SVG (gui/core/svg.h).
//
// Always true: 1. shapes are painted in their order, later ones on top. 2. Units are logical pixels, y downwards; (0, 0) is
// the upper left corner. 3. Colours are roles (Ink), so that a theme changes none of the shapes. 4. Meaning is never by
// colour alone: kinds differ by shape, dash or text as well.
// Elsewhere: which colour an ink is (palette.h); who builds scenes (topology.h, spacetime.h, logs.h, plots.h).
//
//     Scene s(800, 600);
//     s.line({10, 10}, {90, 10}, Ink::edge, 1.5F);
//     s.text({12, 4}, "B1", Ink::text, Anchor::left, EntityId::node(b1));
//     s.name(EntityId::node(b1), {10, 4, 20, 12}, "broker B1, running, leader of orders/0");
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace mqlab::gui {

struct Point {
  float x = 0, y = 0;
  bool operator==(const Point&) const = default;
};

struct Rect {
  float x = 0, y = 0, w = 0, h = 0;
  bool operator==(const Rect&) const = default;
  bool contains(Point p) const { return p.x >= x && p.x < x + w && p.y >= y && p.y < y + h; }
  float right() const { return x + w; }
  float bottom() const { return y + h; }
};

// What a colour means.
enum class Ink : std::uint8_t {
  background, panel, grid, edge, faint, text, strong,      // paper, raised areas, rules, outlines, less and more important text
  hue0, hue1, hue2, hue3, hue4, hue5, hue6, hue7,          // kinds of messages, producers, keys (Okabe-Ito)
  committed, uncommitted, leader, follower, down, paused,  // states
  fault, fault_band, violated, holds, unknown,             // what a fault does, verdicts
  selection, hover, cursor, witness, pin                   // what the user does
};
inline constexpr std::size_t ink_count = static_cast<std::size_t>(Ink::pin) + 1;

enum class Mono : bool { no, yes };
enum class Anchor : std::uint8_t { left, centre, right };

// What a shape stands for. `a` and `b` as the kind says.
struct EntityId {
  enum class Kind : std::uint8_t {
    none,
    node,        // a: NodeId
    link,        // a, b: NodeIds
    event,       // a: index in Journal::deliveries
    mark,        // a: index in Journal::marks
    op,          // a: index in Journal::ops
    message,     // a: MessageId
    place,       // a: name number in Journal::names ("orders/0")
    record,      // a: name number of the place, b: position
    fault,       // a: index in World::faults()
    verdict,     // a: index in RunResult::verdicts
    series,      // a: number of a plot's series
    time,        // a: a time on an axis, in nanoseconds
    drop,        // a: index in Journal::drops: a message that never arrived
    control      // a: number of a live control, in the words of whoever built the scene
  };
  Kind kind = Kind::none;
  std::uint64_t a = 0;
  std::uint64_t b = 0;

  bool operator==(const EntityId&) const = default;
  explicit operator bool() const { return kind != Kind::none; }
  static EntityId node(std::uint64_t n) { return {Kind::node, n, 0}; }
  static EntityId link(std::uint64_t from, std::uint64_t to) { return {Kind::link, from, to}; }
  static EntityId event(std::uint64_t i) { return {Kind::event, i, 0}; }
  static EntityId mark(std::uint64_t i) { return {Kind::mark, i, 0}; }
  static EntityId drop(std::uint64_t i) { return {Kind::drop, i, 0}; }
  static EntityId op(std::uint64_t i) { return {Kind::op, i, 0}; }
  static EntityId message(std::uint64_t m) { return {Kind::message, m, 0}; }
  static EntityId place(std::uint64_t name) { return {Kind::place, name, 0}; }
  static EntityId record(std::uint64_t name, std::uint64_t position) { return {Kind::record, name, position}; }
  static EntityId fault(std::uint64_t i) { return {Kind::fault, i, 0}; }
};

enum class ShapeKind : std::uint8_t {
  line,       // from, to
  polyline,   // points[first .. first + count)
  polygon,    // the same, closed and filled
  rectangle,  // from = upper left, to = lower right; radius rounds its corners
  circle,     // from = centre, radius
  triangle,   // from = centre, radius; points in the direction of `to`
  diamond,    // from = centre, radius
  cross,      // from = centre, radius: two strokes
  star,       // from = centre, radius
  text        // from = left, centre or right of the upper edge of its line, by anchor
};

struct Shape {
  ShapeKind kind{};
  Ink ink = Ink::text;
  bool filled = false;
  bool dashed = false;         // of lines and outlines
  bool doubled = false;        // a second outline: a duplicate
  Mono mono = Mono::no;
  Anchor anchor = Anchor::left;
  std::uint8_t opacity = 255;
  std::uint16_t clip = 0;      // number in Scene::clips
  float width = 1;             // of strokes; of text: its size relative to the normal one
  float radius = 0;
  Point from{}, to{};
  std::uint32_t first = 0, count = 0;  // in Scene::points
  std::string label{};         // of text
  EntityId entity{};
};

// Something that can be pointed at, walked to by keyboard, read aloud: in reading order.
struct Named {
  EntityId entity{};
  Rect bounds{};
  std::string text{};
};

class Scene {
 public:
  Scene() : Scene(0, 0) {}
  Scene(float width, float height) : width_(width), height_(height), clips_{Rect{0, 0, width, height}} {}

  float width() const { return width_; }
  float height() const { return height_; }
  const std::vector<Shape>& shapes() const { return shapes_; }
  const std::vector<Point>& points() const { return points_; }
  const std::vector<Rect>& clips() const { return clips_; }
  const std::vector<Named>& named() const { return named_; }
  // What the picture assumes or leaves out: "212 of 20,000 messages drawn". Shown beside it.
  const std::vector<std::string>& remarks() const { return remarks_; }

  // Later shapes are cut off at the edges of `r`, until the next call. More than 65,535 different ones: the rest is not cut off.
  void clip(Rect r);
  void clip_nothing() { clip_ = 0; }

  Shape& line(Point from, Point to, Ink ink, float width = 1, EntityId e = {});
  Shape& polyline(const std::vector<Point>& points, Ink ink, float width = 1, EntityId e = {});
  Shape& polygon(const std::vector<Point>& points, Ink ink, EntityId e = {});
  Shape& outline(Rect r, Ink ink, float width = 1, float radius = 0, EntityId e = {});
  Shape& fill(Rect r, Ink ink, float radius = 0, EntityId e = {});
  Shape& symbol(ShapeKind kind, Point centre, float radius, Ink ink, bool filled, EntityId e = {});
  Shape& text(Point at, std::string label, Ink ink, Anchor anchor = Anchor::left, EntityId e = {});
  void name(EntityId e, Rect bounds, std::string text) { named_.push_back({e, bounds, std::move(text)}); }
  void remark(std::string text) { remarks_.push_back(std::move(text)); }

 private:
  Shape& add(ShapeKind kind, Ink ink, EntityId e);

  float width_, height_;
  std::uint16_t clip_ = 0;
  std::vector<Shape> shapes_;
  std::vector<Point> points_;
  std::vector<Rect> clips_;
  std::vector<Named> named_;
  std::vector<std::string> remarks_;
};

// Text is measured by whoever has fonts; builders of scenes ask for it here, so that they need none.
struct TextMeasure {
  virtual ~TextMeasure() = default;
  virtual float width(std::string_view text, float size = 1, Mono mono = Mono::no) const = 0;  // logical pixels
  virtual float line_height(float size = 1) const = 0;
};

// Every character as wide as another one: for tests, and for SVG without fonts at hand.
struct FixedMeasure : TextMeasure {
  float width(std::string_view text, float size = 1, Mono = Mono::no) const override;
  float line_height(float size = 1) const override { return 16 * size; }
};

// What lies at a point, the topmost first; within `reach` pixels of lines and symbols. Shapes without an entity are passed over, and
// what is cut off by its clip is not there. Text is as large as `letters` says; none: as FixedMeasure says.
std::vector<EntityId> entities_at(const Scene& s, Point p, float reach = 4, const TextMeasure* letters = nullptr);
std::optional<EntityId> entity_at(const Scene& s, Point p, float reach = 4, const TextMeasure* letters = nullptr);

}  // namespace mqlab::gui
