//! A function that returns a future is no `main`.

async fn real_main() {}

loky::main!(real_main);
