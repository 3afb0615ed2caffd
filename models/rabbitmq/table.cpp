// Field values and tables.
#include "models/rabbitmq/table.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <cstring>

namespace mqlab::rabbitmq {
namespace {

constexpr std::string_view type_names[] = {"void",      "bool",          "byte",      "unsignedbyte", "short", "unsignedshort",
                                           "signedint", "unsignedint",   "long",      "float",        "double", "decimal",
                                           "timestamp", "longstr",       "binary",    "array",        "table"};

bool same_class(FieldType a, FieldType b) {
  const auto integer = [](FieldType t) { return (t >= FieldType::int8 && t <= FieldType::int64) || t == FieldType::timestamp; };
  const auto real = [](FieldType t) { return t == FieldType::float32 || t == FieldType::float64; };
  const auto text = [](FieldType t) { return t == FieldType::longstr || t == FieldType::binary; };
  return a == b || (integer(a) && integer(b)) || (real(a) && real(b)) || (text(a) && text(b));
}

}  // namespace

std::string_view name(FieldType t) { return type_names[static_cast<std::size_t>(t)]; }

Table::Table() = default;
Table::Table(const Table&) = default;
Table::Table(Table&&) noexcept = default;
Table& Table::operator=(const Table&) = default;
Table& Table::operator=(Table&&) noexcept = default;
Table::~Table() = default;

Table::Table(std::initializer_list<std::pair<const char*, FieldValue>> fields) {
  for (const auto& [name, value] : fields) set(name, value);
}

namespace {
auto by_name(const Field& f, std::string_view name) { return f.name < name; }
}  // namespace

void Table::set(std::string name, FieldValue value) {
  const auto it = std::lower_bound(fields_.begin(), fields_.end(), name, by_name);
  if (it != fields_.end() && it->name == name) it->value = std::move(value);
  else fields_.insert(it, Field{std::move(name), std::move(value)});
}

void Table::erase(std::string_view name) {
  const auto it = std::lower_bound(fields_.begin(), fields_.end(), name, by_name);
  if (it != fields_.end() && it->name == name) fields_.erase(it);
}

const FieldValue* Table::find(std::string_view name) const {
  const auto it = std::lower_bound(fields_.begin(), fields_.end(), name, by_name);
  return it != fields_.end() && it->name == name ? &it->value : nullptr;
}

std::vector<Field>::const_iterator Table::begin() const { return fields_.begin(); }
std::vector<Field>::const_iterator Table::end() const { return fields_.end(); }
bool Table::empty() const { return fields_.empty(); }
std::size_t Table::size() const { return fields_.size(); }

FieldValue::FieldValue() = default;

FieldValue FieldValue::of_type(FieldType type, std::int64_t number) {
  FieldValue v;
  v.type = type;
  v.number = number;
  return v;
}

FieldValue FieldValue::real(double d) {
  std::int64_t bits = 0;
  std::memcpy(&bits, &d, sizeof bits);
  return of_type(FieldType::float64, bits);
}

FieldValue FieldValue::strings(const std::vector<std::string>& texts) {
  std::vector<FieldValue> items;
  items.reserve(texts.size());
  for (const std::string& t : texts) items.emplace_back(t);
  return FieldValue(std::move(items));
}

double FieldValue::as_double() const {
  if (type == FieldType::float32) {
    float f = 0;
    const auto bits = static_cast<std::uint32_t>(number);
    std::memcpy(&f, &bits, sizeof f);
    return f;
  }
  double d = 0;
  std::memcpy(&d, &number, sizeof d);
  return d;
}

bool operator==(const FieldValue& a, const FieldValue& b) {
  return a.type == b.type && a.number == b.number && a.text == b.text && a.items == b.items && a.fields == b.fields;
}
bool operator==(const Field& a, const Field& b) { return a.name == b.name && a.value == b.value; }
bool operator==(const Table& a, const Table& b) { return a.fields_ == b.fields_; }

bool same_value(const FieldValue& a, const FieldValue& b) {
  if (!same_class(a.type, b.type)) return false;
  if (a.type == FieldType::float32 || a.type == FieldType::float64) return a.as_double() == b.as_double();
  return a.number == b.number && a.text == b.text && a.items == b.items && a.fields == b.fields;
}

namespace {

FieldValue value_of(const std::string& text) {
  if (text == "true" || text == "false") return text == "true";
  std::int64_t n = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), n);
  if (error == std::errc{} && end == text.data() + text.size()) return n;
  return text;
}

}  // namespace

std::optional<std::string> read_table(std::string_view text, Table& out) {
  const auto blank = [&](std::size_t at) { return at >= text.size() || text[at] == ' '; };
  for (std::size_t at = 0; at < text.size();) {
    if (blank(at)) {
      ++at;
      continue;
    }
    std::size_t end = at;
    while (!blank(end) && text[end] != '=') ++end;
    const std::string name(text.substr(at, end - at));
    if (name.empty()) return fmt::format("`{}` has a value without a name; write name=value", text.substr(at));
    at = end;
    if (blank(at)) {
      out.set(name, FieldValue());
      continue;
    }
    if (!blank(++at) && text[at] == '\'') {
      end = text.find('\'', at + 1);
      if (end == std::string_view::npos || !blank(end + 1)) return fmt::format("the quote of `{}` does not end before a blank", name);
      out.set(name, std::string(text.substr(at + 1, end - at - 1)));
      at = end + 1;
      continue;
    }
    end = std::min(text.find(' ', at), text.size());
    out.set(name, value_of(std::string(text.substr(at, end - at))));
    at = end;
  }
  return std::nullopt;
}

std::string describe(const FieldValue& v) {
  switch (v.type) {
    case FieldType::void_: return "void";
    case FieldType::boolean: return v.number != 0 ? "true" : "false";
    case FieldType::float32:
    case FieldType::float64: return fmt::format("{}", v.as_double());
    case FieldType::decimal: return fmt::format("{}e-{}", v.number & 0xffffffff, v.number >> 32);
    case FieldType::longstr:
    case FieldType::binary: return fmt::format("\"{}\"", v.text);
    case FieldType::array: {
      std::string out = "[";
      for (const FieldValue& i : v.items) out += (out.size() > 1 ? ", " : "") + describe(i);
      return out + "]";
    }
    case FieldType::table: return describe(v.fields);
    default: return fmt::format("{}", v.number);
  }
}

std::string describe(const Table& t) {
  std::string out = "{";
  for (const Field& f : t) out += fmt::format("{}{}={}", out.size() > 1 ? ", " : "", f.name, describe(f.value));
  return out + "}";
}

std::string error_text(const FieldValue& v) {
  return v.type == FieldType::longstr || v.type == FieldType::binary ? v.text : describe(v);
}

}  // namespace mqlab::rabbitmq
