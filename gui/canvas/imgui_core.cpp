#include "gui/canvas/imgui_core.h"

#include <algorithm>
#include <cfloat>
#include <cmath>

#include <imgui.h>

namespace mqlab::gui {

namespace {

// The context is current as long as this lives.
struct Current {
  explicit Current(ImGuiContext* context) : before(ImGui::GetCurrentContext()) { ImGui::SetCurrentContext(context); }
  ~Current() { ImGui::SetCurrentContext(before); }
  Current(const Current&) = delete;
  Current& operator=(const Current&) = delete;
  ImGuiContext* before;
};

constexpr ImGuiKey imgui_keys[] = {ImGuiKey_Tab, ImGuiKey_LeftArrow, ImGuiKey_RightArrow, ImGuiKey_UpArrow, ImGuiKey_DownArrow, ImGuiKey_PageUp, ImGuiKey_PageDown,
                                   ImGuiKey_Home, ImGuiKey_End, ImGuiKey_Insert, ImGuiKey_Delete, ImGuiKey_Backspace, ImGuiKey_Space, ImGuiKey_Enter, ImGuiKey_Escape,
                                   ImGuiKey_A, ImGuiKey_C, ImGuiKey_V, ImGuiKey_X, ImGuiKey_Y, ImGuiKey_Z};
static_assert(std::size(imgui_keys) == key_count);

template <class... Fs>
struct Overloaded : Fs... {
  using Fs::operator()...;
};
template <class... Fs>
Overloaded(Fs...) -> Overloaded<Fs...>;  // clang 14 asks for it

void apply(const InputEvent& event, float dpr, ImGuiIO& io) {
  const auto modifiers = [&](const Modifiers& m) {
    io.KeyCtrl = m.ctrl;
    io.KeyShift = m.shift;
    io.KeyAlt = m.alt;
    io.KeySuper = m.super;
  };
  std::visit(Overloaded{
                 [&](const MouseMove& e) {
                   if (std::isfinite(e.at.x) && std::isfinite(e.at.y)) io.MousePos = {e.at.x * dpr, e.at.y * dpr};
                 },
                 [&](const MouseButton& e) { io.MouseDown[static_cast<std::size_t>(e.button)] = e.down; },
                 [&](const MouseWheel& e) {
                   if (!std::isfinite(e.x) || !std::isfinite(e.y)) return;
                   io.MouseWheel += e.y;
                   io.MouseWheelH += e.x;
                 },
                 [&](const MouseLeave&) { io.MousePos = {-FLT_MAX, -FLT_MAX}; },
                 [&](const KeyChange& e) { io.KeysDown[static_cast<std::size_t>(e.key)] = e.down; },
                 [&](const ModifierChange& e) { modifiers(e.now); },
                 [&](const TextInput& e) { io.AddInputCharactersUTF8(e.utf8.c_str()); },
                 [&](const FocusChange& e) {
                   io.AddFocusEvent(e.has);
                   if (e.has) return;
                   std::fill(std::begin(io.MouseDown), std::end(io.MouseDown), false);
                   std::fill(std::begin(io.KeysDown), std::end(io.KeysDown), false);
                   modifiers({});
                 },
             },
             event);
}

ImVec4 tone(Rgba c, float opacity = 1) { return {c.r / 255.0F, c.g / 255.0F, c.b / 255.0F, opacity}; }

}  // namespace

ImGuiCore::ImGuiCore(std::shared_ptr<Fonts> fonts) : fonts_(fonts != nullptr ? std::move(fonts) : std::make_shared<Fonts>()) {
  ImGuiContext* before = ImGui::GetCurrentContext();
  context_ = ImGui::CreateContext(&fonts_->atlas());
  ImGui::SetCurrentContext(context_);
  ImGuiIO& io = ImGui::GetIO();
  io.IniFilename = nullptr;
  io.LogFilename = nullptr;
  io.BackendPlatformName = io.BackendRendererName = "mqlab";
  io.BackendFlags |= ImGuiBackendFlags_RendererHasVtxOffset;
  io.ConfigWindowsMoveFromTitleBarOnly = true;
  io.GetClipboardTextFn = [](void*) { return ""; };  // text is edited elsewhere
  io.SetClipboardTextFn = [](void*, const char*) {};
  for (std::size_t k = 0; k < key_count; ++k) io.KeyMap[imgui_keys[k]] = static_cast<int>(k);
  ImGui::SetCurrentContext(before);
}

ImGuiCore::~ImGuiCore() { ImGui::DestroyContext(context_); }

void ImGuiCore::set_theme(Theme theme) {
  restyle_ |= theme != theme_;
  theme_ = theme;
}

void ImGuiCore::set_scale(float dpr, float text_scale) {
  dpr = std::isfinite(dpr) ? std::clamp(dpr, 0.5F, 8.0F) : 1;
  text_scale = std::isfinite(text_scale) ? std::clamp(text_scale, 0.5F, 4.0F) : 1;
  restyle_ |= dpr != dpr_ || text_scale != text_scale_;
  dpr_ = dpr;
  text_scale_ = text_scale;
}

// Corners are square: ImGui rounds them with the machine's own sine.
void ImGuiCore::restyle() {
  ImGuiStyle style;
  style.WindowPadding = {8, 6};
  style.FramePadding = {6, 3};
  style.WindowBorderSize = style.PopupBorderSize = style.FrameBorderSize = 1;
  style.GrabMinSize = 9;
  style.ScrollbarRounding = style.TabRounding = 0;
  // They decide how curves are made of lines; the canvas makes its own.
  style.AntiAliasedLines = style.AntiAliasedFill = true;
  style.AntiAliasedLinesUseTex = false;
  style.ScaleAllSizes(dpr_);
  style.WindowBorderSize = style.PopupBorderSize = style.FrameBorderSize = std::max(1.0F, std::floor(dpr_ + 0.5F));
  const auto of = [&](Ink ink) { return colour(ink, theme_); };
  ImVec4* c = style.Colors;
  const ImVec4 panel = tone(of(Ink::panel)), edge = tone(of(Ink::edge)), paper = tone(of(Ink::background)), chosen = tone(of(Ink::selection));
  c[ImGuiCol_Text] = tone(of(Ink::text));
  c[ImGuiCol_TextDisabled] = tone(of(Ink::faint));
  c[ImGuiCol_WindowBg] = c[ImGuiCol_PopupBg] = panel;
  c[ImGuiCol_ChildBg] = {0, 0, 0, 0};
  c[ImGuiCol_Border] = edge;
  c[ImGuiCol_BorderShadow] = {0, 0, 0, 0};
  c[ImGuiCol_FrameBg] = c[ImGuiCol_FrameBgHovered] = c[ImGuiCol_FrameBgActive] = paper;
  c[ImGuiCol_TitleBg] = c[ImGuiCol_TitleBgActive] = c[ImGuiCol_TitleBgCollapsed] = tone(over({of(Ink::grid).r, of(Ink::grid).g, of(Ink::grid).b, 160}, of(Ink::panel)));
  c[ImGuiCol_SliderGrab] = edge;
  c[ImGuiCol_SliderGrabActive] = c[ImGuiCol_CheckMark] = chosen;
  c[ImGuiCol_Button] = c[ImGuiCol_Header] = tone(of(Ink::grid));
  c[ImGuiCol_ButtonHovered] = c[ImGuiCol_HeaderHovered] = tone(of(Ink::hover), 0.35F);
  c[ImGuiCol_ButtonActive] = c[ImGuiCol_HeaderActive] = tone(of(Ink::selection), 0.45F);
  c[ImGuiCol_Separator] = tone(of(Ink::grid));
  ImGui::GetStyle() = style;
  const int normal = Fonts::pixels(1, dpr_ * text_scale_);
  fonts_->bake({{normal, Mono::no}, {normal, Mono::yes}});
  ImGui::GetIO().MouseDragThreshold = 4 * dpr_;
  ImGui::GetIO().MouseDoubleClickMaxDist = 6 * dpr_;
  restyle_ = false;
}

const ImDrawData& ImGuiCore::frame(int width, int height, float dt, const std::function<void()>& draw, bool with_input) {
  const Current current(context_);
  if (restyle_) restyle();
  ImGuiIO& io = ImGui::GetIO();
  io.FontDefault = fonts_->font(Fonts::pixels(1, dpr_ * text_scale_), Mono::no);
  io.DisplaySize = {static_cast<float>(std::max(1, width)), static_cast<float>(std::max(1, height))};
  io.DisplayFramebufferScale = {1, 1};
  io.DeltaTime = dt > 1e-6F ? std::min(dt, 1e6F) : 1e-6F;
  lost_focus_ = false;
  for (const InputEvent& event : with_input ? input_.take() : std::vector<InputEvent>{}) {
    const auto* focus = std::get_if<FocusChange>(&event);
    lost_focus_ |= focus != nullptr && !focus->has;
    apply(event, dpr_, io);
  }
  ImGui::NewFrame();
  draw();
  ImGui::Render();
  return *ImGui::GetDrawData();
}

std::uint64_t draw_data_hash(const ImDrawData& data) {
  std::uint64_t h = 0xCBF29CE484222325U;
  const auto mix = [&](const void* bytes, std::size_t n) {
    const auto* b = static_cast<const unsigned char*>(bytes);
    for (std::size_t i = 0; i < n; ++i) h = (h ^ b[i]) * 0x100000001B3U;
  };
  for (int l = 0; l < data.CmdListsCount; ++l) {
    const ImDrawList& list = *data.CmdLists[l];
    mix(list.VtxBuffer.Data, static_cast<std::size_t>(list.VtxBuffer.size_in_bytes()));
    mix(list.IdxBuffer.Data, static_cast<std::size_t>(list.IdxBuffer.size_in_bytes()));
    for (const ImDrawCmd& c : list.CmdBuffer) {
      mix(&c.ClipRect, sizeof c.ClipRect);
      const unsigned int numbers[] = {c.VtxOffset, c.IdxOffset, c.ElemCount};
      mix(numbers, sizeof numbers);
    }
  }
  return h;
}

}  // namespace mqlab::gui
