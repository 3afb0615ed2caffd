#include "gui/canvas/canvas.h"

#include <algorithm>
#include <cmath>
#include <cstdio>

#include <imgui.h>

#include "gui/canvas/mesh.h"
#include "gui/canvas/paint.h"
#include "gui/canvas/soft_raster.h"

namespace mqlab::gui {

namespace {

constexpr int settle_frames = 3;      // ImGui needs two to lay a new window out
constexpr float click_reach = 4;      // logical pixels
constexpr float zoom_per_notch = 1.2F;
constexpr float pan_per_notch = 60;   // logical pixels
constexpr float strip_margin = 3, strip_gap = 7;  // of knobs in a strip, logical pixels
constexpr float strip_share = 0.125F; // of the height, at most
constexpr float strip_slider = 6.5F;  // width, in heights of a line

float side(float v) { return std::isfinite(v) ? std::clamp(v, 1.0F, 16'384.0F) : 1; }

Rect between(Point a, Point b) { return {std::min(a.x, b.x), std::min(a.y, b.y), std::abs(a.x - b.x), std::abs(a.y - b.y)}; }

Modifiers modifiers_now() {
  const ImGuiIO& io = ImGui::GetIO();
  return {io.KeyCtrl, io.KeyShift, io.KeyAlt, io.KeySuper};
}

double on_step(const Knob& k, double v) {
  if (k.step > 0) v = k.min + std::round((v - k.min) / k.step) * k.step;
  return std::clamp(v, k.min, k.max);
}

// A format of printf that shows the value and the unit, whatever the unit has in it.
std::string value_format(const Knob& k) {
  std::string out;
  const auto add = [&](const std::string& text) {
    for (const char c : text) {
      out += c;
      if (c == '%') out += c;
    }
  };
  if (!k.stops.empty()) {
    add(k.value_text());
    return out;
  }
  out = k.step >= 1 ? "%.0f" : "%.3g";
  if (!k.unit.empty()) out += ' ';
  add(k.unit);
  return out;
}

}  // namespace

std::string Knob::value_text() const {
  if (!stops.empty()) return stops[std::min(static_cast<std::size_t>(std::lround(std::max(0.0, value))), stops.size() - 1)];
  char text[64];
  std::snprintf(text, sizeof text, step >= 1 ? "%.0f" : "%.3g", value);
  return text + (unit.empty() ? std::string() : " " + unit);
}

Canvas::Canvas(std::shared_ptr<Fonts> fonts) : core_(std::move(fonts)) {
  tip = [this](EntityId e) -> std::string {
    for (const Named& n : scene_.named())
      if (n.entity == e) return n.text;
    return {};
  };
  draggable = [](EntityId) { return false; };
}

Canvas::~Canvas() = default;

void Canvas::resize(float width, float height, float dpr) {
  const float width_before = width_, height_before = height_, dpr_before = core_.dpr();
  width_ = side(width);
  height_ = side(height);
  core_.set_scale(dpr, core_.text_scale());
  if (width_ == width_before && height_ == height_before && core_.dpr() == dpr_before) return;
  laid_out_ = false;
  settle_ = settle_frames;
}

void Canvas::set_theme(Theme theme) {
  if (theme == core_.theme()) return;
  core_.set_theme(theme);
  settle_ = settle_frames;
}

void Canvas::set_text_scale(float scale) {
  core_.set_scale(core_.dpr(), scale);
  laid_out_ = false;
  settle_ = settle_frames;
}

void Canvas::set_scene(Scene scene) {
  scene_ = std::move(scene);
  settle_ = std::max(settle_, 1);
}

void Canvas::set_knobs(std::vector<Knob> knobs) {
  for (Knob& k : knobs)
    if (!k.stops.empty()) {
      k.min = 0;
      k.max = static_cast<double>(k.stops.size() - 1);
      k.step = 1;
    }
  std::erase_if(knobs, [](const Knob& k) { return !std::isfinite(k.min) || !std::isfinite(k.max) || !std::isfinite(k.value) || !(k.min < k.max) || std::abs(k.max - k.min) > 1e100; });
  for (Knob& k : knobs) {
    k.value = std::clamp(k.value, k.min, k.max);
    for (const Knob& old : knobs_)
      if (old.id == k.id && k.id == turning_) k.value = std::clamp(old.value, k.min, k.max);
  }
  if (knobs == knobs_) return;
  laid_out_ &= knobs.size() == knobs_.size();
  knobs_ = std::move(knobs);
  settle_ = settle_frames;
}

void Canvas::push(InputEvent event) {
  core_.input().push(std::move(event));
  settle_ = settle_frames;
}

bool Canvas::needs_frame() const { return settle_ > 0 || core_.input_waits(); }

const Picture& Canvas::frame(double seconds) {
  const ImDrawData& data = frame_as_triangles(seconds);
  picture_.reset(pixel_width(), pixel_height(), colour(Ink::background, core_.theme()));
  raster(data, picture_);
  return picture_;
}

const ImDrawData& Canvas::frame_as_triangles(double seconds) {
  if (settle_ > 0) --settle_;
  const PaintOptions options{core_.theme(), core_.dpr(), core_.text_scale(), show_remarks};
  core_.fonts().bake(text_sizes(scene_, options));
  const int width = pixel_width(), height = pixel_height();
  // ImGui gives input to the windows of the frame before: a click into the first one would be nobody's.
  for (int i = 0; i < 2 && !laid_out_; ++i) core_.frame(width, height, 0, [this] { draw(false); }, false);
  laid_out_ = true;
  const ImDrawData& data = core_.frame(width, height, static_cast<float>(seconds), [this] { draw(true); });
  triangles_ = static_cast<std::size_t>(data.TotalIdxCount) / 3;
  ++frames_;
  return data;
}

void Canvas::draw(bool seen) {
  wishes_ = {};
  const ImGuiIO& io = ImGui::GetIO();
  const float dpr = core_.dpr();
  const PaintOptions options{core_.theme(), dpr, core_.text_scale(), show_remarks};
  ImGui::SetNextWindowPos({0, 0});
  ImGui::SetNextWindowSize(io.DisplaySize);
  ImGui::PushStyleVar(ImGuiStyleVar_WindowPadding, ImVec2(0, 0));
  ImGui::PushStyleVar(ImGuiStyleVar_WindowBorderSize, 0.0F);
  ImGui::PushStyleVar(ImGuiStyleVar_WindowMinSize, ImVec2(1, 1));
  ImGui::Begin("scene", nullptr, ImGuiWindowFlags_NoDecoration | ImGuiWindowFlags_NoMove | ImGuiWindowFlags_NoSavedSettings | ImGuiWindowFlags_NoBackground |
                                     ImGuiWindowFlags_NoBringToFrontOnFocus | ImGuiWindowFlags_NoNav | ImGuiWindowFlags_NoScrollWithMouse);
  ImGui::InvisibleButton("ground", io.DisplaySize, ImGuiButtonFlags_MouseButtonLeft | ImGuiButtonFlags_MouseButtonRight | ImGuiButtonFlags_MouseButtonMiddle);
  read_mouse(ImGui::IsItemHovered(ImGuiHoveredFlags_AllowWhenBlockedByActiveItem) && ImGui::IsMousePosValid() && turning_.empty());
  ImDrawList& list = *ImGui::GetWindowDrawList();
  if (seen) paint(scene_, list, options, core_.fonts());
  if (wishes_.hovered) paint_halo(scene_, wishes_.hovered, list, options, core_.fonts());
  if (wishes_.band && !wishes_.band->done) {
    const Rect r = wishes_.band->area;
    const Rgba c = colour(Ink::selection, core_.theme());
    Mesh mesh(list, {0, 0, io.DisplaySize.x, io.DisplaySize.y});
    mesh.rectangle({r.x * dpr, r.y * dpr, r.w * dpr, r.h * dpr}, packed({c.r, c.g, c.b, 40}));
    mesh.frame({r.x * dpr, r.y * dpr, r.w * dpr, r.h * dpr}, dpr, packed(c));
  }
  ImGui::End();
  ImGui::PopStyleVar(3);
  draw_knobs();
  if (wishes_.hovered && !press_ && tip) {
    const std::string text = tip(wishes_.hovered);
    if (!text.empty()) {
      ImGui::BeginTooltip();
      ImGui::PushTextWrapPos(std::max(ImGui::GetFontSize() * 4, std::min(ImGui::GetFontSize() * 28, io.DisplaySize.x - ImGui::GetStyle().WindowPadding.x * 4)));
      ImGui::TextUnformatted(text.data(), text.data() + text.size());
      ImGui::PopTextWrapPos();
      ImGui::EndTooltip();
    }
  }
}

void Canvas::read_mouse(bool over_scene) {
  const ImGuiIO& io = ImGui::GetIO();
  const float dpr = core_.dpr();
  const Point at{io.MousePos.x / dpr, io.MousePos.y / dpr};
  const bool somewhere = ImGui::IsMousePosValid();
  const Modifiers modifiers = modifiers_now();
  const FontMeasure letters = measure();
  const auto under = [&](Point p) { return entity_at(scene_, p, click_reach, &letters).value_or(EntityId{}); };
  if (core_.lost_focus()) press_.reset();
  if (over_scene) wishes_.pointer = at;

  constexpr Button buttons[] = {Button::left, Button::right, Button::middle};
  for (const Button b : buttons) {
    const int number = static_cast<int>(b);
    if (ImGui::IsMouseClicked(number) && over_scene) {
      if (b == Button::left && ImGui::IsMouseDoubleClicked(number)) wishes_.double_clicked = {at, under(at), modifiers};
      if (!press_) {
        press_ = Press{b, at, at, under(at), false, Press::Means::pan};
        if (b == Button::left && press_->entity && draggable && draggable(press_->entity)) press_->means = Press::Means::drag;
        else if (b == Button::left && drag_selects != modifiers.shift) press_->means = Press::Means::band;
      }
    }
  }
  if (press_ && somewhere) {
    const float dx = at.x - press_->at.x, dy = at.y - press_->at.y;
    if (!press_->moved && dx * dx + dy * dy > click_reach * click_reach) press_->moved = true;
    if (press_->moved && press_->button != Button::right) {
      if (press_->means == Press::Means::pan) {
        wishes_.panned_by = {at.x - press_->last.x, at.y - press_->last.y};
        wishes_.cursor = CursorShape::move;
      } else if (press_->means == Press::Means::drag) {
        wishes_.dragged = {press_->entity, press_->at, at, false, modifiers};
        wishes_.cursor = CursorShape::move;
      } else {
        wishes_.band = {between(press_->at, at), false, modifiers};
        wishes_.cursor = CursorShape::cross;
      }
      press_->last = at;
    }
  }
  if (press_ && !io.MouseDown[static_cast<std::size_t>(press_->button)]) {
    if (!press_->moved) {
      const CanvasClick click{press_->at, press_->entity, modifiers};
      if (press_->button == Button::left) wishes_.clicked = click;
      if (press_->button == Button::right) wishes_.right_clicked = click;
    }
    const Point end = somewhere ? at : press_->last;
    if (press_->moved && press_->button == Button::left && press_->means == Press::Means::drag) wishes_.dragged = {press_->entity, press_->at, end, true, modifiers};
    if (press_->moved && press_->button == Button::left && press_->means == Press::Means::band) wishes_.band = {between(press_->at, end), true, modifiers};
    press_.reset();
  }
  if (over_scene && (!press_ || !press_->moved)) {
    wishes_.hovered = under(at);
    if (wishes_.hovered) wishes_.cursor = CursorShape::hand;
  }
  if (over_scene && io.MouseWheel != 0) {
    if (modifiers.shift) wishes_.panned_by.x += io.MouseWheel * pan_per_notch;
    else wishes_.zoomed = {std::pow(zoom_per_notch, std::clamp(io.MouseWheel, -50.0F, 50.0F)), at, modifiers};
  }
  if (over_scene && io.MouseWheelH != 0) wishes_.panned_by.x += io.MouseWheelH * pan_per_notch;
}

void Canvas::draw_slider(Knob& k, float width) {
  ImGui::SetNextItemWidth(width);
  // Words lie over the grip, and are to be read.
  for (const ImGuiCol grip : {ImGuiCol_SliderGrab, ImGuiCol_SliderGrabActive})
    if (!k.stops.empty()) {
      ImVec4 c = ImGui::GetStyleColorVec4(grip);
      c.w *= 0.45F;
      ImGui::PushStyleColor(grip, c);
    }
  double v = k.value;
  const bool changed = ImGui::SliderScalar("##value", ImGuiDataType_Double, &v, &k.min, &k.max, value_format(k).c_str(), ImGuiSliderFlags_NoInput | ImGuiSliderFlags_AlwaysClamp);
  if (!k.stops.empty()) ImGui::PopStyleColor(2);
  const ImVec2 from = ImGui::GetItemRectMin(), to = ImGui::GetItemRectMax();
  knob_areas_[static_cast<std::size_t>(&k - knobs_.data())] = {from.x / core_.dpr(), from.y / core_.dpr(), (to.x - from.x) / core_.dpr(), (to.y - from.y) / core_.dpr()};
  if (ImGui::IsItemActive()) turning_ = k.id;
  if (changed) {
    v = on_step(k, v);
    if (v != k.value) {
      k.value = v;
      wishes_.knobs.push_back({k.id, v, false});
    }
  }
  if (ImGui::IsItemDeactivatedAfterEdit()) wishes_.knobs.push_back({k.id, k.value, true});
}

std::size_t Canvas::knobs_with_room() const {
  const FontMeasure letters = measure();
  const float em = letters.line_height();
  if (em + 4 * strip_margin > height_ * strip_share) return 0;
  float x = strip_margin;
  for (std::size_t i = 0; i < knobs_.size(); ++i) {
    x += letters.width(knobs_[i].label) + strip_gap + strip_slider * em + 2 * strip_gap;
    if (x > width_) return i;
  }
  return knobs_.size();
}

float Canvas::strip_height() const { return knobs_in_strip && knobs_with_room() > 0 ? std::ceil(measure().line_height() + 4 * strip_margin) : 0; }

void Canvas::draw_knob_strip() {
  const std::size_t count = knobs_with_room();
  if (count == 0) return;
  const FontMeasure letters = measure();
  const float dpr = core_.dpr(), em = letters.line_height(), height = strip_height();
  ImGui::SetNextWindowPos({0, (height_ - height) * dpr});
  ImGui::SetNextWindowSize({width_ * dpr, height * dpr});
  ImGui::PushStyleVar(ImGuiStyleVar_WindowPadding, ImVec2(0, 0));
  ImGui::PushStyleVar(ImGuiStyleVar_WindowBorderSize, 0.0F);
  ImGui::Begin("knobs", nullptr, ImGuiWindowFlags_NoDecoration | ImGuiWindowFlags_NoMove | ImGuiWindowFlags_NoSavedSettings | ImGuiWindowFlags_NoNav | ImGuiWindowFlags_NoFocusOnAppearing);
  float x = strip_margin;
  for (std::size_t i = 0; i < count; ++i) {
    Knob& k = knobs_[i];
    ImGui::PushID(static_cast<int>(i));
    ImGui::SetCursorPos({std::floor(x * dpr), std::floor(strip_margin * dpr)});
    ImGui::AlignTextToFramePadding();
    ImGui::TextUnformatted(k.label.c_str());
    x += letters.width(k.label) + strip_gap;
    ImGui::SetCursorPos({std::floor(x * dpr), std::floor(strip_margin * dpr)});
    draw_slider(k, std::floor(strip_slider * em * dpr));
    x += strip_slider * em + 2 * strip_gap;
    ImGui::PopID();
  }
  ImGui::End();
  ImGui::PopStyleVar(2);
}

void Canvas::draw_knobs() {
  turning_.clear();
  knob_areas_.assign(knobs_.size(), {});
  if (knobs_.empty()) return;
  if (knobs_in_strip) return draw_knob_strip();
  const float em = ImGui::GetFontSize(), margin = 8 * core_.dpr();
  ImGui::SetNextWindowPos({ImGui::GetIO().DisplaySize.x - margin, margin}, ImGuiCond_Always, {1, 0});
  ImGui::Begin("knobs", nullptr, ImGuiWindowFlags_NoDecoration | ImGuiWindowFlags_NoMove | ImGuiWindowFlags_NoSavedSettings | ImGuiWindowFlags_AlwaysAutoResize |
                                     ImGuiWindowFlags_NoNav | ImGuiWindowFlags_NoFocusOnAppearing);
  float labels = 0;
  for (const Knob& k : knobs_) labels = std::max(labels, ImGui::CalcTextSize(k.label.c_str()).x);
  for (std::size_t i = 0; i < knobs_.size(); ++i) {
    Knob& k = knobs_[i];
    ImGui::PushID(static_cast<int>(i));
    ImGui::AlignTextToFramePadding();
    ImGui::TextUnformatted(k.label.c_str());
    ImGui::SameLine(labels + em);
    draw_slider(k, 9 * em);
    ImGui::PopID();
  }
  ImGui::End();
}

}  // namespace mqlab::gui
