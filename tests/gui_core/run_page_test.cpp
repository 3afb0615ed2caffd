// A page of a run says what the run said, to people, to machines, and to a browser.
#include "gui/core/run_page.h"

#include <gtest/gtest.h>
#include <zlib.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>
#include <sstream>

#include "kit/models.h"
#include "tests/gui_core/views.h"

namespace mqlab::gui {
namespace {

using testing::scenario_of;

std::shared_ptr<const Recording> record(const std::string& text, const std::string& path) { return Recording::make({.text = text, .path = path, .seed = 7}, all_models()); }

const EventIndex& showcase() {
  static const EventIndex index(record(scenario_of("showcase.lua"), "showcase.lua"));
  return index;
}

std::string between(const std::string& text, const std::string& from, const std::string& to) {
  const std::size_t a = text.find(from);
  if (a == std::string::npos) return {};
  const std::size_t b = text.find(to, a + from.size());
  return text.substr(a + from.size(), b - a - from.size());
}

std::string unpacked(const std::string& base64, std::size_t size) {
  static const std::string letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  std::string gz;
  std::uint32_t v = 0;
  int bits = 0;
  for (const char c : base64) {
    if (c == '=') break;
    v = v << 6 | static_cast<std::uint32_t>(letters.find(c));
    if ((bits += 6) >= 8) gz += static_cast<char>(v >> (bits -= 8) & 255);
  }
  std::string out(size + 1, '\0');
  z_stream z{};
  inflateInit2(&z, 15 + 16);
  z.next_in = reinterpret_cast<Bytef*>(gz.data());
  z.avail_in = static_cast<uInt>(gz.size());
  z.next_out = reinterpret_cast<Bytef*>(out.data());
  z.avail_out = static_cast<uInt>(out.size());
  EXPECT_EQ(inflate(&z, Z_FINISH), Z_STREAM_END);
  out.resize(z.total_out);
  inflateEnd(&z);
  return out;
}

TEST(RunPage, MessagesComeBackAsTheyWere) {
  const EventIndex& index = showcase();
  const std::string bytes = message_bytes(index, 1'000'000);
  std::size_t at = 0;
  const auto number = [&] {
    std::uint64_t v = 0;
    for (int shift = 0;; shift += 7) {
      const auto b = static_cast<unsigned char>(bytes[at++]);
      v |= std::uint64_t{b & 0x7fU} << shift;
      if (b < 0x80) return v;
    }
  };
  Time t = 0;
  for (const Flight& f : index.flights()) {
    t += static_cast<Time>(number());
    ASSERT_EQ(t, f.arrived);
    ASSERT_EQ(t - static_cast<Time>(number()), f.sent);
    ASSERT_EQ(number(), f.from);
    ASSERT_EQ(number(), f.to);
    ASSERT_EQ(number(), f.kind);
  }
  EXPECT_EQ(at, bytes.size());
  for (const std::string& text : {std::string(), std::string("a"), std::string("ab"), std::string("abc"), bytes}) EXPECT_EQ(unpacked(packed(text), text.size()), text);
}

TEST(RunPage, AMachineReadsTheSame) {
  const std::string page = run_page(showcase(), {.command = "mqlab run showcase.lua", .version = "1"});
  const auto j = nlohmann::json::parse(between(page, "id=\"data\">", "</script>"));
  const RunResult& r = showcase().recording().result();
  EXPECT_EQ(j["fingerprint"], r.fingerprint.text());
  EXPECT_EQ(j["seed"], 7);
  EXPECT_EQ(j["messages"], showcase().flights().size());
  ASSERT_EQ(j["verdicts"].size(), r.verdicts.size());
  std::size_t violated = 0;
  for (std::size_t i = 0; i < r.verdicts.size(); ++i) {
    EXPECT_EQ(j["verdicts"][i]["anomaly"], r.verdicts[i].report.anomaly->name);
    EXPECT_EQ(j["verdicts"][i]["verdict"], verdict_name(r.verdicts[i].report.verdict));
    violated += r.verdicts[i].report.verdict == Verdict::violated;
  }
  EXPECT_GT(violated, 0U);
  EXPECT_FALSE(j["witness"].empty());
  EXPECT_NE(page.find("<svg"), std::string::npos);
  EXPECT_EQ(page, run_page(showcase(), {.command = "mqlab run showcase.lua", .version = "1"}));
}

TEST(RunPage, AsksNobodyForAnything) {
  const std::string page = run_page(showcase());
  for (const char* word : {"src=", "href=", "url(", "@import", "fetch(", "XMLHttp"}) EXPECT_EQ(page.find(word), std::string::npos) << word;
}

TEST(RunPage, ALongRunIsCutAndSaysSo) {
  const std::string page = run_page(showcase(), {.messages_most = 10});
  EXPECT_NE(page.find("The first 10 of "), std::string::npos);
  const auto j = nlohmann::json::parse(between(page, "id=\"data\">", "</script>"));
  EXPECT_EQ(j["messages_shown"], 10);
}

constexpr const char* hostile = R"lua(
-- </pre><img id="from-comment">
return scenario {
  title = "</title></script><!--<script><img id=\"from-title\">",
  cluster = kafka { brokers = 3 },
  topics = { orders = {} },
  clients = { producer "P1" { topic = "orders", records = 3 }, consumer "K1" { topics = { "orders" }, group = "</script><img id='from-group'>" } },
  run_for = seconds(5),
}
)lua";

TEST(RunPage, TextsStayTexts) {
  const EventIndex index(record(hostile, "hostile.lua"));
  const std::string page = run_page(index, {.command = "mqlab run '</pre><img>'"});
  EXPECT_EQ(page.find("<img"), std::string::npos);
  EXPECT_EQ(page.find("<!--"), std::string::npos);
  const auto j = nlohmann::json::parse(between(page, "id=\"data\">", "</script>"));
  EXPECT_EQ(j["title"], "</title></script><!--<script><img id=\"from-title\">");
}

// In a real browser, from a file, without a network: the script runs to its end, and nothing of a text has become an element.
TEST(RunPage, ABrowserShowsIt) {
  if (std::system("command -v chromium >/dev/null 2>&1") != 0) GTEST_SKIP() << "there is no chromium here: apt-get install chromium";
  const auto folder = std::filesystem::temp_directory_path() / ("mqlab-page-" + std::to_string(std::hash<std::string>()(::testing::TempDir())));
  std::filesystem::create_directories(folder);
  const EventIndex bad(record(hostile, "hostile.lua"));
  for (const EventIndex* index : {&showcase(), &bad}) {
    const auto file = folder / "page.html";
    std::ofstream(file) << run_page(*index, {.command = "mqlab run x.lua"});
    const auto out = folder / "dom.html";
    const std::string command = "timeout 60 chromium --headless --no-sandbox --disable-gpu --virtual-time-budget=5000 --user-data-dir=" + (folder / "profile").string() + " --dump-dom file://" +
                                file.string() + " >" + out.string() + " 2>/dev/null";
    ASSERT_EQ(std::system(command.c_str()), 0);
    std::stringstream dom;
    dom << std::ifstream(out).rdbuf();
    EXPECT_NE(dom.str().find("data-drawn=\"" + std::to_string(index->flights().size()) + "\""), std::string::npos);
    EXPECT_EQ(dom.str().find("<img"), std::string::npos);
  }
  std::filesystem::remove_all(folder);
}

}  // namespace
}  // namespace mqlab::gui
