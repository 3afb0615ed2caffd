// sim/hunt/sqlite.h: the little of SQLite that the store of a campaign uses.
//
// The rule: what goes wrong is an InputError that names the file, for it is a matter of the file and the disk under it.
// Numbers are signed there: an unsigned one beyond 2^63 - 1 has no place.
// Source: sqlite.org/c3ref.
//
//     Statement s(db, "SELECT seed FROM runs WHERE events > ?");
//     for (s.bind(1, 1000); s.row();) use(s.number(0));
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

struct sqlite3;
struct sqlite3_stmt;

namespace mqlab {

class SqliteFile {
 public:
  // ":memory:" lives as long as the object.
  explicit SqliteFile(std::string path);
  void execute(const char* sql);
  const std::string& path() const { return path_; }

 private:
  friend class Statement;
  [[noreturn]] void fail() const;
  struct Close {
    void operator()(sqlite3* db) const;
  };
  std::string path_;
  std::unique_ptr<sqlite3, Close> db_;
};

class Statement {
 public:
  // Requires: the database outlives it.
  Statement(const SqliteFile& db, const char* sql);

  // Parameters are counted from 1, columns from 0.
  Statement& bind(int parameter, std::uint64_t number);
  Statement& bind(int parameter, std::string_view text);
  Statement& bind_bytes(int parameter, std::string_view bytes);
  Statement& bind_seconds(int parameter, double seconds);
  // The next row; false at the end, and it may be bound and run anew.
  bool row();
  // For a statement without rows.
  void run() { while (row()) {} }
  std::uint64_t number(int column) const;
  double real(int column) const;
  std::string text(int column) const;

 private:
  struct Close {
    void operator()(sqlite3_stmt* s) const;
  };
  const SqliteFile& db_;
  std::unique_ptr<sqlite3_stmt, Close> statement_;
};

// Begun when made; taken back unless committed.
class Transaction {
 public:
  explicit Transaction(SqliteFile& db) : db_(db) { db_.execute("BEGIN IMMEDIATE"); }
  ~Transaction();
  Transaction(const Transaction&) = delete;
  Transaction& operator=(const Transaction&) = delete;
  void commit();

 private:
  SqliteFile& db_;
  bool open_ = true;
};

}  // namespace mqlab
