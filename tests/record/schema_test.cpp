// The history against its published schema: what we write fits it, and what it forbids we refuse.
#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <fstream>
#include <nlohmann/json.hpp>
#include <sstream>

#include "sim/record/history.h"
#include "tests/record/journals.h"

using namespace mqlab;
using namespace mqlab::test;
using nlohmann::json;

namespace {

// The part of JSON Schema draft-07 that history.schema.json uses; any other word in it is an error.
class Schema {
 public:
  explicit Schema(json root) : root_(std::move(root)) {}
  std::string complaint(const json& value) const { return check(root_, value, "row"); }

 private:
  std::string check(const json& schema, const json& v, const std::string& at) const {
    for (const auto& [word, rule] : schema.items()) {
      const std::string c = check_word(schema, word, rule, v, at);
      if (!c.empty()) return c;
    }
    return "";
  }

  std::string check_word(const json& schema, const std::string& word, const json& rule, const json& v, const std::string& at) const {
    if (word == "$schema" || word == "title" || word == "description" || word == "definitions") return "";
    if (word == "$ref") return check(root_.at(json::json_pointer(rule.get<std::string>().substr(1))), v, at);
    if (word == "oneOf") {
      int fits = 0;
      std::string why;
      for (const json& one : rule) {
        const std::string c = check(one, v, at);
        if (c.empty()) ++fits;
        else why += c + "; ";
      }
      return fits == 1 ? "" : at + " fits " + std::to_string(fits) + " forms: " + why;
    }
    if (word == "type") {
      const bool fits = (rule == "object" && v.is_object()) || (rule == "array" && v.is_array()) || (rule == "string" && v.is_string()) ||
                        (rule == "integer" && v.is_number_integer());
      return fits ? "" : at + " is no " + rule.get<std::string>();
    }
    if (word == "const") return v == rule ? "" : at + " is not " + rule.dump();
    if (word == "enum") return std::find(rule.begin(), rule.end(), v) != rule.end() ? "" : at + " is none of the words";
    if (word == "minimum") return !v.is_number() || v >= rule ? "" : at + " is too small";
    if (word == "maximum") return !v.is_number() || v <= rule ? "" : at + " is too large";
    if (word == "minLength") return !v.is_string() || v.get<std::string>().size() >= rule.get<std::size_t>() ? "" : at + " is too short";
    if (word == "items") {
      for (const json& item : v.is_array() ? v : json::array())
        if (const std::string c = check(rule, item, at + "[]"); !c.empty()) return c;
      return "";
    }
    if (word == "required") {
      for (const json& name : rule)
        if (v.is_object() && !v.contains(name.get<std::string>())) return at + " lacks " + name.get<std::string>();
      return "";
    }
    if (word == "patternProperties") return rule == json{{"^x_", json::object()}} ? "" : "an unknown pattern in the schema";
    if (word == "additionalProperties") {
      if (!v.is_object()) return "";
      for (const auto& [name, _] : v.items())
        if (!schema["properties"].contains(name) && name.substr(0, 2) != "x_") return at + " has an unknown " + name;
      return "";
    }
    if (word == "properties") {
      for (const auto& [name, one] : rule.items())
        if (v.is_object() && v.contains(name))
          if (const std::string c = check(one, v[name], at + "." + name); !c.empty()) return c;
      return "";
    }
    return "the schema uses an unknown word: " + word;
  }

  json root_;
};

const Schema& schema() {
  static const Schema s = [] {
    std::ifstream in(std::string(MQLAB_SOURCE_DIR) + "/docs/internals/history.schema.json");
    return Schema(json::parse(in));
  }();
  return s;
}

const std::string header = "{\"format\":\"mqlab-history/1\",\"processes\":[\"P1\"]}";

}  // namespace

RC_GTEST_PROP(HistorySchema, WhatIsWrittenFitsIt, ()) {
  std::istringstream in(history_text(any_journal(*drawn_numbers()), {.marks = true}));
  for (std::string line; std::getline(in, line);) {
    const std::string c = schema().complaint(json::parse(line));
    if (!c.empty()) RC_FAIL(c + "\n" + line);
  }
}

TEST(HistorySchema, ForbidsWhatTheReaderRefuses) {
  const std::string good = "{\"time\":1,\"process\":\"P1\",\"op\":\"send\",\"outcome\":\"ok\"}";
  const std::vector<std::string> bad = {
      "{\"process\":\"P1\",\"op\":\"send\",\"outcome\":\"ok\"}",
      "{\"time\":-1,\"process\":\"P1\",\"op\":\"send\",\"outcome\":\"ok\"}",
      "{\"time\":1.5,\"process\":\"P1\",\"op\":\"send\",\"outcome\":\"ok\"}",
      "{\"time\":1,\"process\":\"P1\",\"op\":\"sent\",\"outcome\":\"ok\"}",
      "{\"time\":1,\"process\":\"P1\",\"op\":\"send\",\"outcome\":\"okay\"}",
      "{\"time\":1,\"process\":\"P1\",\"op\":\"send\",\"outcome\":\"ok\",\"place\":\"\"}",
      "{\"time\":1,\"process\":\"P1\",\"op\":\"send\",\"outcome\":\"ok\",\"plase\":\"q\"}",
      "{\"time\":1,\"process\":\"P1\",\"op\":\"send\",\"outcome\":\"ok\",\"attempt\":256}",
      "{\"time\":1,\"process\":\"P1\",\"op\":\"send\",\"outcome\":\"ok\",\"flags\":[\"odd\"]}",
      "{\"time\":1,\"process\":\"P1\",\"op\":\"send\",\"outcome\":\"ok\",\"message\":{\"raw\":0}}",
      "{\"time\":1,\"process\":\"P1\",\"op\":\"send\",\"outcome\":\"ok\",\"message\":7}",
      "{\"mark\":\"m\"}",
      "{\"mark\":7,\"time\":1}",
  };
  EXPECT_EQ(schema().complaint(json::parse(header)), "");
  EXPECT_EQ(schema().complaint(json::parse(good)), "");
  Journal j;
  EXPECT_FALSE(read_history(header + "\n" + good + "\n", j));
  for (const std::string& line : bad) {
    EXPECT_NE(schema().complaint(json::parse(line)), "") << line;
    Journal none;
    EXPECT_TRUE(read_history(header + "\n" + line + "\n", none)) << line;
  }
}

// The example of the page is a history.
TEST(HistorySchema, TheExampleInTheDocsIsRead) {
  std::ifstream in(std::string(MQLAB_SOURCE_DIR) + "/docs/internals/history-schema.md");
  std::string text;
  for (std::string line; std::getline(in, line);)
    if (line.rfind("    {", 0) == 0) text += line.substr(4) + "\n";
  Journal j;
  const auto error = read_history(text, j);
  ASSERT_FALSE(error) << error->line << ": " << error->message;
  EXPECT_EQ(j.ops.size(), 4U);
  EXPECT_EQ(j.marks.size(), 1U);
}
