//! A `main` that polls a future itself, as the attributes of runtimes do.

#![deny(warnings)]

/// What `tokio::main` does: takes `async` away and runs the body to its end.
macro_rules! runtime {
    ($body:block) => {{
        let mut future = std::pin::pin!(async $body);
        let mut context = std::task::Context::from_waker(std::task::Waker::noop());
        loop {
            if let std::task::Poll::Ready(result) = future.as_mut().poll(&mut context) {
                break result;
            }
            std::thread::yield_now();
        }
    }};
}

loky::main! {
    fn main() -> Result<(), loky::Error> {
        runtime!({
            let k = 3;
            let first = loky::closure!(|x: u8| x + k).bind(1).spawn_async().await;
            assert_eq!(first.await?, 4);
            Ok(())
        })
    }
}
