// A scene as SVG: by value, and always well-formed.
#include "gui/core/svg.h"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <clocale>
#include <cmath>
#include <set>

#include "gui/core/utf8.h"

namespace mqlab::gui {
namespace {

// What is wrong with a document; empty: it is well-formed. Elements, attributes, references and characters only: svg_of writes no more.
std::string xml_fault(std::string_view text) {
  const auto at = [&](std::string_view rest, const std::string& what) { return what + " before: " + std::string(rest.substr(0, 60)); };
  for (std::string_view rest = text; !rest.empty();) {
    const std::string_view before = rest;
    const char32_t c = next_character(rest);
    if (c < 0x20 && c != '\n') return at(before, "a control character");
    if (c == 0xFFFD && before.substr(0, 3) != "\xEF\xBF\xBD") return at(before, "no UTF-8");
    if (c == 0xFFFE || c == 0xFFFF) return at(before, "no character of XML");
  }
  const auto good_references = [](std::string_view s) {
    for (std::size_t i = s.find('&'); i != std::string_view::npos; i = s.find('&', i + 1)) {
      const std::string_view name = s.substr(i + 1, s.find(';', i) - i - 1);
      if (name != "amp" && name != "lt" && name != "gt" && name != "quot" && (name.size() < 2 || name[0] != '#')) return false;
    }
    return true;
  };
  std::vector<std::string> open;
  bool any = false;
  while (!text.empty()) {
    const std::size_t tag = text.find('<');
    const std::string_view words = text.substr(0, tag);
    if (words.find('>') != std::string_view::npos || !good_references(words)) return at(text, "markup in text");
    if (tag == std::string_view::npos) break;
    text.remove_prefix(tag + 1);
    if (text.substr(0, 1) == "?") {
      text.remove_prefix(text.find("?>") + 2);
      continue;
    }
    const bool closing = text.substr(0, 1) == "/";
    if (closing) text.remove_prefix(1);
    const std::size_t name_end = text.find_first_of(" />");
    const std::string name(text.substr(0, name_end));
    text.remove_prefix(name_end);
    if (open.empty() && any) return at(text, "two roots");
    any = true;
    std::set<std::string> attributes;
    while (text.substr(0, 1) == " ") {
      const std::size_t equals = text.find("=\"");
      const std::string attribute(text.substr(1, equals - 1));
      const std::size_t end = text.find('"', equals + 2);
      if (end == std::string_view::npos) return at(text, "an open attribute");
      const std::string_view value = text.substr(equals + 2, end - equals - 2);
      if (value.find('<') != std::string_view::npos || !good_references(value)) return at(text, "markup in an attribute");
      if (!attributes.insert(attribute).second) return at(text, "the attribute " + attribute + " twice");
      text.remove_prefix(end + 1);
    }
    const bool empty = text.substr(0, 1) == "/";
    if (empty) text.remove_prefix(1);
    if (text.substr(0, 1) != ">") return at(text, "no end of a tag");
    text.remove_prefix(1);
    if (closing) {
      if (open.empty() || open.back() != name) return at(text, "</" + name + "> closes nothing");
      open.pop_back();
    } else if (!empty) {
      open.push_back(name);
    }
  }
  return open.empty() ? any ? "" : "no root" : "<" + open.back() + "> is not closed";
}

TEST(Svg, TheWellFormednessCheckRefusesWhatItShould) {
  EXPECT_EQ(xml_fault("<a b=\"1\"><c/>&lt;</a>"), "");
  for (const char* bad : {"<a>", "<a></b>", "<a b=\"1\" b=\"2\"/>", "<a>&</a>", "<a>\xff</a>", "<a b=\"<\"/>", "<a/><b/>", "</a>", "", "<a>\x01</a>"}) EXPECT_NE(xml_fault(bad), "") << bad;
}

TEST(Svg, SceneIsWrittenShapeByShape) {
  Scene s(100, 50);
  s.line({10, 10.5F}, {90, 10.5F}, Ink::edge, 1.5F);
  s.fill({10, 20, 30, 10}, Ink::hue0, 0, EntityId::record(5, 17)).opacity = 128;
  s.text({50, 30}, "a<b & \"c\"", Ink::text, Anchor::centre);
  s.name(EntityId::record(5, 17), {10, 20, 30, 10}, "record 17 of <orders/0>");
  s.remark("3 of 20 drawn");
  EXPECT_EQ(svg_of(s, {.title = "R&D"}),
            "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n"
            "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"100\" height=\"68\" viewBox=\"0 0 100 68\" role=\"img\" font-family=\"DejaVu Sans, Verdana, sans-serif\" font-size=\"13\">\n"
            "<title>R&amp;D</title>\n"
            "<desc>3 of 20 drawn</desc>\n"
            "<defs>\n"
            "<clipPath id=\"clip0\"><rect x=\"0\" y=\"0\" width=\"100\" height=\"50\"/></clipPath>\n"
            "</defs>\n"
            "<rect width=\"100%\" height=\"100%\" fill=\"#ffffff\"/>\n"
            "<g clip-path=\"url(#clip0)\">\n"
            "<line x1=\"10\" y1=\"10.5\" x2=\"90\" y2=\"10.5\" fill=\"none\" stroke=\"#5f6b7a\" stroke-width=\"1.5\" shape-rendering=\"crispEdges\"/>\n"
            "<g data-entity=\"record 5 17\"><title>record 17 of &lt;orders/0&gt;</title><rect x=\"10\" y=\"20\" width=\"30\" height=\"10\" shape-rendering=\"crispEdges\" fill=\"#0072b2\" fill-opacity=\"0.5\"/></g>\n"
            "<text x=\"50\" y=\"42\" fill=\"#22282f\" text-anchor=\"middle\" xml:space=\"preserve\">a&lt;b &amp; &quot;c&quot;</text>\n"
            "</g>\n"
            "<text x=\"4\" y=\"63\" fill=\"#5f6875\">3 of 20 drawn</text>\n"
            "</svg>\n");
}

TEST(Svg, ThemeChangesColoursOnly) {
  Scene s(10, 10);
  s.fill({0, 0, 1, 1}, Ink::text);
  const std::string light = svg_of(s), dark = svg_of(s, {.theme = Theme::dark});
  EXPECT_NE(light, dark);
  EXPECT_NE(dark.find(hexadecimal(colour(Ink::background, Theme::dark))), std::string::npos);
  EXPECT_EQ(light.size(), dark.size());
}

TEST(Svg, PicturesOfOnePageHaveTheirOwnIds) {
  Scene s(10, 10);
  s.fill({0, 0, 1, 1}, Ink::text);
  const std::string one = svg_of(s, {.alone = false, .ids = "a"});
  EXPECT_EQ(one.find("<svg"), 0U);
  EXPECT_NE(one.find("id=\"aclip0\""), std::string::npos);
  EXPECT_NE(one.find("url(#aclip0)"), std::string::npos);
}

TEST(Svg, EveryKindOfShapeIsWritten) {
  constexpr ShapeKind symbols[] = {ShapeKind::circle, ShapeKind::triangle, ShapeKind::diamond, ShapeKind::cross, ShapeKind::star};
  for (const ShapeKind k : symbols)
    for (const bool filled : {false, true})
      for (const bool doubled : {false, true}) {
        Scene s(50, 50);
        const std::string before = svg_of(s);
        Shape& shape = s.symbol(k, {25, 25}, 8, Ink::hue0, filled, EntityId::message(1));
        shape.doubled = doubled;
        shape.dashed = true;
        const std::string with = svg_of(s);
        EXPECT_EQ(xml_fault(with), "");
        EXPECT_NE(with.find("data-entity=\"message 1\""), std::string::npos);
        if (!doubled) {
          shape.doubled = true;
          EXPECT_GT(svg_of(s).size(), with.size());
        }
      }
}

TEST(Svg, SizeThatIsNoneIsNothing) {
  EXPECT_NE(svg_of(Scene(NAN, NAN)).find("width=\"0\" height=\"0\""), std::string::npos);
}

TEST(Svg, LocaleHasNoSay) {
  Scene s(10, 10);
  s.line({0.5F, 1.25F}, {-3.75F, 2}, Ink::edge);
  const std::string expected = svg_of(s);
  const std::string before = std::setlocale(LC_ALL, nullptr);
  std::setlocale(LC_ALL, "de_DE.UTF-8");  // where it is installed
  EXPECT_EQ(svg_of(s), expected);
  std::setlocale(LC_ALL, before.c_str());
  EXPECT_NE(expected.find("x1=\"0.5\" y1=\"1.25\" x2=\"-3.75\" y2=\"2\""), std::string::npos);
}

RC_GTEST_PROP(SvgProperty, AnySceneIsWellFormed, ()) {
  const auto number = [] { return *rc::gen::oneOf(rc::gen::element(NAN, INFINITY, -INFINITY, 1e30F, -3.4e38F), rc::gen::map(rc::gen::inRange(-5'000, 5'000), [](int v) { return static_cast<float>(v) / 8; })); };
  const auto point = [&] { return Point{number(), number()}; };
  const auto text = [] { return *rc::gen::oneOf(rc::gen::arbitrary<std::string>(), rc::gen::element<std::string>("]]>", "</text><script>", "\xff\xfe", "\xef\xbf\xbe", "a\nb", "&amp;", "\x01")); };
  Scene s(number(), number());
  for (int i = *rc::gen::inRange(0, 12); i > 0; --i) {
    const EntityId e = *rc::gen::element(EntityId{}, EntityId::node(1), EntityId::link(1, 2));
    Shape* shape = nullptr;
    switch (*rc::gen::inRange(0, 6)) {
      case 0: shape = &s.line(point(), point(), Ink::edge, number(), e); break;
      case 1: shape = &s.polyline({point(), point(), point()}, Ink::edge, number(), e); break;
      case 2: shape = &s.polygon({point(), point(), point(), point()}, Ink::edge, e); break;
      case 3: shape = &s.outline({number(), number(), number(), number()}, Ink::edge, number(), number(), e); break;
      case 4: shape = &s.symbol(*rc::gen::element(ShapeKind::circle, ShapeKind::cross, ShapeKind::star), point(), number(), Ink::edge, *rc::gen::arbitrary<bool>(), e); break;
      default: shape = &s.text(point(), text(), Ink::text, Anchor::left, e);
    }
    shape->dashed = *rc::gen::arbitrary<bool>();
    shape->doubled = *rc::gen::arbitrary<bool>();
    if (*rc::gen::inRange(0, 4) == 0) s.clip({number(), number(), number(), number()});
  }
  s.name(EntityId::node(1), {}, text());
  s.remark(text());
  const std::string svg = svg_of(s, {.title = text(), .description = text()});
  RC_ASSERT(xml_fault(svg) == "");
  RC_ASSERT(svg.find("nan") == std::string::npos);
  RC_ASSERT(svg.find("<script") == std::string::npos);
}

TEST(Utf8, WhatIsNoneBecomesOneSignAByte) {
  const auto all = [](std::string_view text) {
    std::u32string out;
    while (!text.empty()) out += next_character(text);
    return out;
  };
  EXPECT_EQ(all("a\u00e9\u2192\U0001F600"), U"a\u00e9\u2192\U0001F600");
  EXPECT_EQ(all("\xff"), U"\uFFFD");
  EXPECT_EQ(all("\xe2\x82z"), U"\uFFFD\uFFFDz") << "cut off";
  EXPECT_EQ(all("\xc0\x80"), U"\uFFFD\uFFFD") << "overlong";
  EXPECT_EQ(all("\xe0\x80\x80"), U"\uFFFD\uFFFD\uFFFD") << "overlong";
  EXPECT_EQ(all("\xed\xa0\x80"), U"\uFFFD\uFFFD\uFFFD") << "a surrogate";
  EXPECT_EQ(all("\xf4\x90\x80\x80"), U"\uFFFD\uFFFD\uFFFD\uFFFD") << "beyond the last";
}

}  // namespace
}  // namespace mqlab::gui
