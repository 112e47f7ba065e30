//! One small program per language: what is found in it, line by line.

use expect_test::{Expect, expect};

use super::*;

#[track_caller]
fn check(path: &str, subject: &str, text: &str, expected: Expect) {
    let (table, column) =
        subject.split_once('.').map_or((subject, None), |(table, column)| (table, Some(column)));
    let names = Names::new(table, column);
    let lines = LineIndex::new(text);
    let found = hits(&names, path, text).into_iter().map(|hit| reference(path, text, &lines, hit));
    let found: Vec<String> = found
        .map(|it| format!("{}:{} {} {}  {}", it.line, it.column, it.kind.id(), it.certainty.id(), it.excerpt))
        .collect();
    expected.assert_eq(&found.join("\n"));
}

#[test]
fn sql_reads_and_writes() {
    let text = "SELECT u.id, u.name AS title FROM users u WHERE lower(u.name) = $1;
INSERT INTO users (email, name) VALUES (:email, :name) RETURNING name;
UPDATE users SET name = $1, email = name WHERE id = $2;
SELECT o.name, total FROM orders o;
SELECT name FROM orders JOIN users USING (id);
DELETE FROM \"users\" WHERE \"name\" IS NULL;
INSERT INTO orders (name) SELECT name FROM users;
SELECT * FROM users; SELECT count(*) FROM users; SELECT o.*, u.* FROM users u, orders o;
CREATE VIEW v AS SELECT name FROM public.users;
INSERT INTO users (id) VALUES (1) ON CONFLICT (id) DO UPDATE SET name = excluded.name;
SELECT id FROM orders WHERE user_id IN (SELECT id FROM users WHERE name = 'name');
-- name: GetUser :one users
SELECT name_of(users) FROM users;
INSERT INTO users (id) VALUES (1) ON DUPLICATE KEY UPDATE name = 'x';
SELECT 1 FROM users WHERE name = 'x' FOR UPDATE;
MERGE INTO users u USING staged s ON u.id = s.id WHEN MATCHED THEN UPDATE SET name = s.name;
";
    check(
        "q.sql",
        "users.name",
        text,
        expect![[r#"
            1:16 read certain  SELECT u.id, u.name AS title FROM users u WHERE lower(u.name) = $1;
            1:57 read certain  SELECT u.id, u.name AS title FROM users u WHERE lower(u.name) = $1;
            2:27 write certain  INSERT INTO users (email, name) VALUES (:email, :name) RETURNING name;
            2:66 read certain  INSERT INTO users (email, name) VALUES (:email, :name) RETURNING name;
            3:18 write certain  UPDATE users SET name = $1, email = name WHERE id = $2;
            3:37 read certain  UPDATE users SET name = $1, email = name WHERE id = $2;
            5:8 read likely  SELECT name FROM orders JOIN users USING (id);
            6:28 read certain  DELETE FROM "users" WHERE "name" IS NULL;
            7:34 read likely  INSERT INTO orders (name) SELECT name FROM users;
            8:8 read likely  SELECT * FROM users; SELECT count(*) FROM users; SELECT o.*, u.* FROM users u, orders o;
            8:64 read likely  SELECT * FROM users; SELECT count(*) FROM users; SELECT o.*, u.* FROM users u, orders o;
            9:25 schema certain  CREATE VIEW v AS SELECT name FROM public.users;
            10:66 write certain  INSERT INTO users (id) VALUES (1) ON CONFLICT (id) DO UPDATE SET name = excluded.name;
            10:82 read certain  INSERT INTO users (id) VALUES (1) ON CONFLICT (id) DO UPDATE SET name = excluded.name;
            11:68 read certain  SELECT id FROM orders WHERE user_id IN (SELECT id FROM users WHERE name = 'name');
            14:59 write certain  INSERT INTO users (id) VALUES (1) ON DUPLICATE KEY UPDATE name = 'x';
            15:27 read certain  SELECT 1 FROM users WHERE name = 'x' FOR UPDATE;
            16:79 write certain  MERGE INTO users u USING staged s ON u.id = s.id WHEN MATCHED THEN UPDATE SET name = s.name;"#]],
    );
}

#[test]
fn sql_uses_of_a_table() {
    let text = "SELECT 1 FROM a, users u;
DELETE FROM users; TRUNCATE users; UPDATE ONLY users SET a = 1;
ALTER TABLE users ADD b int; SELECT users FROM b;
";
    check(
        "q.sql",
        "users",
        text,
        expect![[r#"
            1:18 read certain  SELECT 1 FROM a, users u;
            2:13 write certain  DELETE FROM users; TRUNCATE users; UPDATE ONLY users SET a = 1;
            2:29 write certain  DELETE FROM users; TRUNCATE users; UPDATE ONLY users SET a = 1;
            2:48 write certain  DELETE FROM users; TRUNCATE users; UPDATE ONLY users SET a = 1;
            3:13 schema certain  ALTER TABLE users ADD b int; SELECT users FROM b;"#]],
    );
}

#[test]
fn typescript() {
    let text = "import { User } from './user';
interface User {
  id: number;
  name: string;
}
const file = { name: 'a' };
export async function rename(db: Db, user: User, name: string) {
  await db.query(`UPDATE users
    SET name = $1
    WHERE id = $2`, [name, user.id]);
  console.log(`renamed ${user.name}`);
  return { ...user, label: currentUser?.name, path: file.name };
}
const rows = await knex('users').where('email', email).select('id', 'name');
await prisma.user.update({ where: { id }, data: { name: 'x' } });
";
    check(
        "a.ts",
        "users.name",
        text,
        expect![[r#"
            4:3 schema likely  name: string;
            6:16 text possible  const file = { name: 'a' };
            7:50 text possible  export async function rename(db: Db, user: User, name: string) {
            9:9 write certain  SET name = $1
            10:22 text possible  WHERE id = $2`, [name, user.id]);
            11:31 read likely  console.log(`renamed ${user.name}`);
            12:41 read likely  return { ...user, label: currentUser?.name, path: file.name };
            14:70 read likely  const rows = await knex('users').where('email', email).select('id', 'name');
            15:51 write likely  await prisma.user.update({ where: { id }, data: { name: 'x' } });"#]],
    );
}

#[test]
fn python() {
    let text = "class User(Base):
    __tablename__ = \"users\"
    id = Column(Integer)
    name = Column(String)  # the name

    def greet(self):
        return self.name

class File:
    name = \"a\"

def find(cur, name):
    cur.execute(\"\"\"
        SELECT id, name
        FROM users WHERE name = %s
    \"\"\", (name,))
    session.query(User).filter(User.name == name).order_by('name')
    user.name = name
    return [row['name'] for row in cur]
";
    check(
        "a.py",
        "users.name",
        text,
        expect![[r#"
            4:5 schema likely  name = Column(String)  # the name
            7:21 read likely  return self.name
            14:20 read certain  SELECT id, name
            15:26 read certain  FROM users WHERE name = %s
            17:37 read likely  session.query(User).filter(User.name == name).order_by('name')
            17:61 read likely  session.query(User).filter(User.name == name).order_by('name')
            18:10 write likely  user.name = name
            19:18 text possible  return [row['name'] for row in cur]"#]],
    );
}

#[test]
fn ruby() {
    let text = "class User < ApplicationRecord
  validates :name, presence: true
end
User.where(active: true).pluck(:name)
User.create!(name: 'x')
File.new(name: 'x')
sql = <<~SQL
  SELECT name FROM users
SQL
";
    check(
        "a.rb",
        "users.name",
        text,
        expect![[r#"
            2:14 schema likely  validates :name, presence: true
            4:33 read likely  User.where(active: true).pluck(:name)
            5:14 write likely  User.create!(name: 'x')
            6:10 text possible  File.new(name: 'x')
            8:10 read certain  SELECT name FROM users"#]],
    );
}

#[test]
fn go() {
    let text = "type User struct {
\tID   int64
\tName string `db:\"name\"`
}
func (s *Store) Get(id int64) (*User, error) {
\tvar u User
\terr := s.db.QueryRow(`
\t\tSELECT id, name FROM users
\t\tWHERE id = $1`, id).Scan(&u.ID, &u.Name)
\treturn &User{Name: u.Name}, err
}
";
    check(
        "a.go",
        "users.name",
        text,
        expect![[r#"
        3:2 schema likely  Name string `db:"name"`
        3:19 schema likely  Name string `db:"name"`
        8:14 read certain  SELECT id, name FROM users
        9:38 read possible  WHERE id = $1`, id).Scan(&u.ID, &u.Name)
        10:15 read likely  return &User{Name: u.Name}, err
        10:23 read possible  return &User{Name: u.Name}, err"#]],
    );
}

#[test]
fn java() {
    let text = "public class UserDao {
  private static final String ALL = \"SELECT id, name \" +
      \"FROM users ORDER BY name\";
  void save(User user) {
    user.setName(name);
    jdbc.update(\"\"\"
        INSERT INTO users (id, name)
        VALUES (?, ?)\"\"\", user.getName());
    file.getName();
  }
}
";
    check(
        "UserDao.java",
        "users.name",
        text,
        expect![[r#"
            2:49 read certain  private static final String ALL = "SELECT id, name " +
            3:28 read certain  "FROM users ORDER BY name";
            5:10 write likely  user.setName(name);
            7:32 write certain  INSERT INTO users (id, name)
            8:32 read likely  VALUES (?, ?)""", user.getName());"#]],
    );
}

#[test]
fn rust() {
    let text = "diesel::table! {
    users (id) {
        id -> Int4,
        name -> Varchar,
    }
}
fn f() {
    users::table.filter(users::name.eq(\"x\")).load::<User>(c);
    diesel::update(users::table).set(users::name.eq(\"y\"));
    sqlx::query!(r#\"SELECT \"name\" FROM \"users\"\"#);
    sqlx::query(\"SELECT name \\
        FROM users\");
    let name = path.name;
}
";
    check(
        "a.rs",
        "users.name",
        text,
        expect![[r##"
        4:9 schema likely  name -> Varchar,
        8:32 read likely  users::table.filter(users::name.eq("x")).load::<User>(c);
        9:45 write likely  diesel::update(users::table).set(users::name.eq("y"));
        10:29 read certain  sqlx::query!(r#"SELECT "name" FROM "users""#);
        11:25 read certain  sqlx::query("SELECT name \"##]],
    );
}

#[test]
fn prisma() {
    let text =
        "model Order {\n  name String\n}\nmodel User {\n  id Int\n  name String\n  orders Order[]\n}\n";
    check("schema.prisma", "users.name", text, expect!["6:3 schema likely  name String"]);
}

#[test]
fn a_file_that_does_not_know_the_table_is_quiet() {
    check("a.ts", "users.name", "const name = file.name; log('name', { name });", expect![[""]]);
}

#[test]
fn models_and_tables_by_name() {
    let text =
        "class User(Base):\n    __tablename__ = 'users'\nx = User.objects.all()\nuser = 'users online'\n";
    check(
        "a.py",
        "users",
        text,
        expect![[r#"
        1:7 schema likely  class User(Base):
        2:22 schema likely  __tablename__ = 'users'
        3:5 read likely  x = User.objects.all()"#]],
    );
}

#[test]
fn columns_of_several_words() {
    let text = "const o = await prisma.orderItem.findMany({ select: { unitPrice: true } });\nitem.unitPrice; orderItem.unitPrice = 2;\n";
    check(
        "a.ts",
        "order_items.unit_price",
        text,
        expect![[r#"
        1:55 read likely  const o = await prisma.orderItem.findMany({ select: { unitPrice: true } });
        2:27 write likely  item.unitPrice; orderItem.unitPrice = 2;"#]],
    );
}

/// Any bytes give an answer.
#[test]
fn odd_texts_are_no_reason_to_panic() {
    let odd = [
        "",
        "é",
        "users.é name \"é",
        "`users",
        "'users\\",
        "$users$ name",
        "[users] (name",
        "users) set ) = name,",
        "select * from users u é.*",
    ];
    for path in ["a.sql", "a.rs", "a.ts", "a.py", "a.rb", "a.go", "a.java", "a.php", "a"] {
        for text in odd {
            hits(&Names::new("users", Some("name")), path, text);
            hits(&Names::new("", Some("")), path, text);
        }
    }
}

/// A writer that names no columns uses each of them by its place, in files too that do not say the column's name.
#[test]
fn writers_by_place_are_found_without_the_name() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    std::fs::create_dir_all(folder.path().join("migrations")).expect("can be made");
    std::fs::write(folder.path().join("migrations/1_a.sql"), "CREATE TABLE people (id int, name text);")
        .expect("can be written");
    let code = "q('INSERT INTO people VALUES ($1, $2)')\nq('COPY people FROM STDIN')\nq('INSERT INTO people (id) VALUES (1)')\n";
    std::fs::write(folder.path().join("db.js"), code).expect("can be written");
    let project = crate::discover::discover(folder.path()).expect("is a project");
    let found = references(&project, "people", Some("name")).references;
    let by_place: Vec<usize> = found.iter().filter(|it| it.by_place).map(|it| it.line).collect();
    assert_eq!((by_place, found.len()), (vec![1, 2], 2));
}
