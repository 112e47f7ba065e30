fn main() {
    let project = lockkeeper_project::open(std::env::args().nth(1).unwrap().as_ref()).unwrap();
    for folder in &project.folders { for p in folder.all_problems() { println!("{}: {} -> {}", p.path, p.message, p.advice); } }
}
