#include "sim/record/json_row.h"

#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "sim/record/text.h"

namespace mqlab {

namespace {

constexpr int foreign_depth_max = 64;

class RowHandler : public nlohmann::json_sax<nlohmann::json> {
 public:
  RowHandler(std::vector<JsonField>& fields, std::string_view skipped) : fields_(fields), skipped_(skipped) {}

  bool null() override { return scalar([](JsonField& f) { f.kind = JsonField::Kind::null; }); }
  bool boolean(bool v) override {
    return scalar([v](JsonField& f) { f.kind = JsonField::Kind::boolean, f.truth = v; });
  }
  bool number_integer(number_integer_t v) override {
    return scalar([v](JsonField& f) {
      f.kind = JsonField::Kind::number;
      f.negative = v < 0;
      f.signed_value = v;
      f.value = v < 0 ? 0 : static_cast<std::uint64_t>(v);
    });
  }
  bool number_unsigned(number_unsigned_t v) override {
    return scalar([v](JsonField& f) { f.kind = JsonField::Kind::number, f.value = v; });
  }
  bool number_float(number_float_t, const string_t&) override {
    return scalar([](JsonField& f) { f.kind = JsonField::Kind::real; });
  }
  bool binary(binary_t&) override { return refuse("binary data does not belong here"); }

  bool string(string_t& v) override {
    if (depth_ == 2 && !foreign_ && fields_.back().kind == JsonField::Kind::list) {
      fields_.back().items.push_back(std::move(v));
      return true;
    }
    return scalar([&v](JsonField& f) { f.kind = JsonField::Kind::text, f.text = std::move(v); });
  }

  bool start_object(std::size_t) override {
    ++depth_;
    if (depth_ == 1 || foreign_) return depth_ <= foreign_depth_max || refuse("it is nested too deeply");
    if (depth_ > 2) return refuse(fmt::format("the value of {} is nested too deeply", shown(fields_.back().key)));
    fields_.back().kind = JsonField::Kind::object;
    return true;
  }
  bool start_array(std::size_t) override {
    ++depth_;
    if (depth_ == 1) return refuse("it is a list; a row is an object in braces");
    if (foreign_) return depth_ <= foreign_depth_max || refuse("it is nested too deeply");
    if (depth_ > 2) return refuse(fmt::format("the value of {} is nested too deeply", shown(fields_.back().key)));
    fields_.back().kind = JsonField::Kind::list;
    return true;
  }
  bool end_object() override { return left(); }
  bool end_array() override { return left(); }

  bool key(string_t& name) override {
    if (depth_ == 1) {
      if (!add(fields_, name)) return false;
      foreign_ = name.compare(0, foreign_prefix.size(), foreign_prefix) == 0 || (!skipped_.empty() && name == skipped_);
      return true;
    }
    return foreign_ || add(fields_.back().fields, name);
  }

  bool parse_error(std::size_t position, const std::string&, const nlohmann::json::exception&) override {
    return refuse(fmt::format("it is not valid JSON (near byte {}): look for a missing quote, comma or brace", position));
  }

  std::string complaint;

 private:
  bool refuse(std::string text) {
    if (complaint.empty()) complaint = std::move(text);
    return false;
  }
  bool left() {
    if (--depth_ == 1) foreign_ = false;
    return true;
  }
  bool add(std::vector<JsonField>& to, const std::string& name) {
    for (const JsonField& f : to)
      if (f.key == name) return refuse(fmt::format("{} is there twice", shown(name)));
    if (to.size() >= 64) return refuse("it has more than 64 fields");
    to.emplace_back();
    to.back().key = name;
    return true;
  }
  template <class Set>
  bool scalar(Set set) {
    if (depth_ == 0) return refuse("it is a single value; a row is an object in braces");
    if (depth_ >= 2 && foreign_) return true;
    if (depth_ == 1) {
      set(fields_.back());
    } else if (fields_.back().kind == JsonField::Kind::list) {
      fields_.back().words_only = false;
    } else {
      set(fields_.back().fields.back());
    }
    return true;
  }

  std::vector<JsonField>& fields_;
  std::string_view skipped_;
  int depth_ = 0;
  bool foreign_ = false;
};

}  // namespace

std::optional<std::string> parse_json_row(std::string_view line, std::vector<JsonField>& fields, std::string_view skipped) {
  fields.clear();
  if (const std::size_t bad = utf8_error(line); bad != std::string_view::npos)
    return fmt::format("byte {} is not UTF-8: save the file as UTF-8", bad + 1);
  RowHandler handler(fields, skipped);
  if (nlohmann::json::sax_parse(line.begin(), line.end(), &handler)) return std::nullopt;
  return handler.complaint.empty() ? "it is not valid JSON" : handler.complaint;
}

}  // namespace mqlab
