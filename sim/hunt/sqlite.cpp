#include "sim/hunt/sqlite.h"

#include <fmt/format.h>
#include <sqlite3.h>

#include "sim/lab/scenario.h"

namespace mqlab {

void SqliteFile::Close::operator()(sqlite3* db) const { sqlite3_close(db); }
void Statement::Close::operator()(sqlite3_stmt* s) const { sqlite3_finalize(s); }

SqliteFile::SqliteFile(std::string path) : path_(std::move(path)) {
  sqlite3* db = nullptr;
  const int code = sqlite3_open_v2(path_.c_str(), &db, SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE, nullptr);
  db_.reset(db);
  if (code != SQLITE_OK) fail();
  sqlite3_busy_timeout(db, 10'000);  // somebody reads the file meanwhile
}

void SqliteFile::fail() const {
  const int code = db_ ? sqlite3_errcode(db_.get()) : SQLITE_NOMEM;
  const char* text = db_ ? sqlite3_errmsg(db_.get()) : "out of memory";
  const char* remedy = code == SQLITE_NOTADB     ? "; it is no campaign: choose another --out"
                       : code == SQLITE_CANTOPEN ? "; is its folder there, and may it be written to?"
                       : code == SQLITE_FULL     ? "; make room on the disk and go on with the same command: what is in the file is whole"
                       : code == SQLITE_BUSY     ? "; another program holds it: end that one first"
                       : code == SQLITE_READONLY ? "; it may not be written to"
                                                 : "";
  throw InputError("", 0, fmt::format("{}: {}{}", path_, text, remedy));
}

void SqliteFile::execute(const char* sql) {
  if (sqlite3_exec(db_.get(), sql, nullptr, nullptr, nullptr) != SQLITE_OK) fail();
}

Statement::Statement(const SqliteFile& db, const char* sql) : db_(db) {
  sqlite3_stmt* s = nullptr;
  if (sqlite3_prepare_v2(db.db_.get(), sql, -1, &s, nullptr) != SQLITE_OK) db.fail();
  statement_.reset(s);
}

Statement& Statement::bind(int parameter, std::uint64_t number) {
  sqlite3_bind_int64(statement_.get(), parameter, static_cast<sqlite3_int64>(number));
  return *this;
}

Statement& Statement::bind(int parameter, std::string_view text) {
  sqlite3_bind_text64(statement_.get(), parameter, text.data(), text.size(), SQLITE_TRANSIENT, SQLITE_UTF8);
  return *this;
}

Statement& Statement::bind_bytes(int parameter, std::string_view bytes) {
  sqlite3_bind_blob64(statement_.get(), parameter, bytes.data(), bytes.size(), SQLITE_TRANSIENT);
  return *this;
}

Statement& Statement::bind_seconds(int parameter, double seconds) {
  sqlite3_bind_double(statement_.get(), parameter, seconds);
  return *this;
}

bool Statement::row() {
  const int code = sqlite3_step(statement_.get());
  if (code == SQLITE_ROW) return true;
  sqlite3_reset(statement_.get());
  if (code != SQLITE_DONE) db_.fail();
  return false;
}

std::uint64_t Statement::number(int column) const { return static_cast<std::uint64_t>(sqlite3_column_int64(statement_.get(), column)); }
double Statement::real(int column) const { return sqlite3_column_double(statement_.get(), column); }

std::string Statement::text(int column) const {
  const auto* bytes = static_cast<const char*>(sqlite3_column_blob(statement_.get(), column));
  return bytes ? std::string(bytes, static_cast<std::size_t>(sqlite3_column_bytes(statement_.get(), column))) : std::string();
}

Transaction::~Transaction() {
  if (!open_) return;
  try {
    db_.execute("ROLLBACK");
  } catch (const InputError&) {  // what failed before has been told, and took the transaction back itself
  }
}

void Transaction::commit() {
  db_.execute("COMMIT");
  open_ = false;
}

}  // namespace mqlab
