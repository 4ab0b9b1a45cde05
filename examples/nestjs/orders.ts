import {
  Controller,
  Get,
  Injectable,
  Module,
  type OnApplicationShutdown,
  Param,
  Put,
} from '@nestjs/common';
import { Rollcall } from '@rollcall/client-sdk';
import { RollcallModule } from '@rollcall/client-sdk/nestjs';

/** Stands for what an instance needs, such as its database: while it is closed, nobody calls this instance. */
@Injectable()
export class Shop implements OnApplicationShutdown {
  isOpen = true;

  onApplicationShutdown(): void {
    console.log('closed');
  }
}

@Controller()
export class OrdersController {
  constructor(
    private readonly shop: Shop,
    private readonly rollcall: Rollcall,
  ) {}

  @Get()
  order() {
    return { order: 7, from: process.pid };
  }

  /** Calls the service, which is all instances of this program. */
  @Get('neighbour')
  async neighbour() {
    const reply = await this.rollcall.fetch('http://orders.rollcall/');
    return { neighbour: await reply.json() };
  }

  @Put('shop/:state')
  set(@Param('state') state: string) {
    this.shop.isOpen = state === 'open';
    return { isOpen: this.shop.isOpen };
  }
}

@Module({ providers: [Shop], exports: [Shop] })
export class ShopModule {}

@Module({
  imports: [
    ShopModule,
    // Last: it shuts down first.
    RollcallModule.forRootAsync({
      imports: [ShopModule],
      inject: [Shop],
      useFactory: (shop: Shop) => ({
        rollcall: { url: process.env['ROLLCALL_URL'] ?? 'http://127.0.0.1:7400' },
        service: 'orders',
        readiness: () => shop.isOpen,
      }),
    }),
  ],
  controllers: [OrdersController],
})
export class AppModule {}
