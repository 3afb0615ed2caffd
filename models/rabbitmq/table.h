// models/rabbitmq/table.h: AMQP field values and tables (headers, arguments, x-death).
//
// A value has a type tag as on the wire and a content. Two comparisons exist and mean different things:
// operator== is type and content; same_value() is what the broker's own language compares when it looks at
// headers: 1 as a byte and 1 as a long are the same, 1 and "1" and true are not, and inside arrays and tables
// the types count again.
// Always true: a table is sorted by name, and each name is there once.
// Sources: AMQP 0-9-1 section 4.2.5 with RabbitMQ's errata; rabbit_exchange_type_headers.
//
//     Table t{{"x-max-length", 10}, {"x-overflow", "reject-publish"}};
//     if (const FieldValue* v = t.find("x-max-length"); v && v->is_integer()) ... v->number ...
#pragma once

#include <cstdint>
#include <initializer_list>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace mqlab::rabbitmq {

enum class FieldType : std::uint8_t {
  void_,
  boolean,
  int8, uint8, int16, uint16, int32, uint32, int64,
  float32, float64,  // number: the bits
  decimal,           // number: scale << 32 | value
  timestamp,         // seconds
  longstr,
  binary,
  array,
  table,
};

// As the broker names them in errors: "longstr", "signedint", "bool" ...
std::string_view name(FieldType t);

struct FieldValue;
struct Field;

class Table {
 public:
  Table();
  Table(const Table&);
  Table(Table&&) noexcept;
  Table& operator=(const Table&);
  Table& operator=(Table&&) noexcept;
  ~Table();
  Table(std::initializer_list<std::pair<const char*, FieldValue>> fields);

  void set(std::string name, FieldValue value);  // replaces
  void erase(std::string_view name);
  const FieldValue* find(std::string_view name) const;  // null: not there
  bool contains(std::string_view name) const { return find(name) != nullptr; }

  std::vector<Field>::const_iterator begin() const;  // by name, ascending
  std::vector<Field>::const_iterator end() const;
  bool empty() const;
  std::size_t size() const;

  friend bool operator==(const Table& a, const Table& b);

 private:
  std::vector<Field> fields_;
};

struct FieldValue {
  FieldType type = FieldType::void_;
  std::int64_t number = 0;            // boolean, integers, timestamp; floats and decimals as said above
  std::string text{};                 // longstr, binary
  std::vector<FieldValue> items{};    // array
  Table fields{};                     // table

  FieldValue();
  FieldValue(bool b) : type(FieldType::boolean), number(b) {}
  FieldValue(std::int32_t n) : type(FieldType::int32), number(n) {}
  FieldValue(std::int64_t n) : type(FieldType::int64), number(n) {}
  FieldValue(const char* s) : type(FieldType::longstr), text(s) {}
  FieldValue(std::string s) : type(FieldType::longstr), text(std::move(s)) {}
  FieldValue(Table t) : type(FieldType::table), fields(std::move(t)) {}
  FieldValue(std::vector<FieldValue> a) : type(FieldType::array), items(std::move(a)) {}

  static FieldValue of_type(FieldType type, std::int64_t number);
  static FieldValue real(double d);   // float64
  static FieldValue strings(const std::vector<std::string>& texts);  // an array of longstr

  bool is_integer() const { return type >= FieldType::int8 && type <= FieldType::int64; }
  bool is_text() const { return type == FieldType::longstr; }
  double as_double() const;           // of float64 and float32; for printing only

  friend bool operator==(const FieldValue& a, const FieldValue& b);
};

struct Field {
  std::string name;
  FieldValue value;

  friend bool operator==(const Field& a, const Field& b);
};

bool same_value(const FieldValue& a, const FieldValue& b);

// As a scenario writes a table: "format=pdf pages=3 signed=true urgent name='two words'": a whole number, true or false, or
// text (in quotes: always text); a name alone has the value void. What is wrong with it, or nothing, and then `out` has it.
std::optional<std::string> read_table(std::string_view text, Table& out);

// {a=1, b="x", c=[true, void]}
std::string describe(const FieldValue& v);
std::string describe(const Table& t);

// As the broker puts a value into an error: 10, 'reject-publish'.
std::string error_text(const FieldValue& v);

}  // namespace mqlab::rabbitmq
